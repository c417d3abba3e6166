package qfpayjsapi

import (
	"context"
	"crypto/md5"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

// troubledOffice is an office with trouble in its storage.
func troubledOffice(t *testing.T, changes map[string]any) (*office, *trouble) {
	t.Helper()
	root := t.TempDir()
	config := map[string]any{"storage": map[string]any{"module": "troubled", "root": root}}
	for field, value := range changes {
		config[field] = value
	}
	return openOffice(t, config), troubleAt(root)
}

// notification is what the gateway would post about a payment of cat-food.
func (c *counter) notification(order string) *http.Request {
	body := fmt.Sprintf(`{"status": "1", "notify_type": "payment", "out_trade_no": "%s", "syssn": "2026112300020002", "txamt": "12800", "txcurrcd": "HKD", "respcd": "0000"}`, order)
	r := httptest.NewRequest(http.MethodPost, "/pay/notify", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-QF-SIGN", fmt.Sprintf("%X", md5.Sum([]byte(body+"TESTKEY"))))
	return r
}

func (c *counter) receive(t *testing.T, r *http.Request) int {
	t.Helper()
	w := httptest.NewRecorder()
	require.NoError(t, c.ServeHTTP(w, asCaddyWould(r), nobody))
	return w.Code
}

// A whole payment, from the callback to the webhook, in which one operation
// of the storage fails, each in its turn.
func TestEveryOperationOfTheStorageMayFail(t *testing.T) {
	failures := map[string]error{
		"refused":      errors.New("the storage refused"),
		"disk is full": fmt.Errorf("write: %w", syscall.ENOSPC),
	}
	for name, failure := range failures {
		for _, way := range []string{"notification", "return", "app"} {
			t.Run(name+", paid by "+way, func(t *testing.T) {
				reached := 0
				for at := 1; payWithFailureAt(t, way, at, failure); at++ {
					reached = at
				}
				assert.Greater(t, reached, 20, "so many operations make a payment")
				t.Logf("%d operations failed, each in its turn", reached)
			})
		}
	}
}

// payWithFailureAt makes a payment in which one operation fails, and reports
// whether there was such an operation.
func payWithFailureAt(t *testing.T, way string, at int, failure error) (happened bool) {
	t.Helper()
	program := startShopProgram(t)
	o, trouble := troubledOffice(t, withWebhook(program))
	callback := o.authorize(t, "/pay/cat-food")
	count := 0
	trouble.with(func(context.Context, string, string) error {
		if count++; count == at {
			happened = true
			return failure
		}
		return nil
	})
	order := o.insist(t, callback)
	require.NoError(t, o.simulator.Pay(order))
	switch way {
	case "notification":
		for o.receive(t, o.notification(order)) != http.StatusOK {
		}
	case "return":
		for o.visit(t, "/pay/return/"+order).StatusCode == http.StatusServiceUnavailable {
		}
	}
	o.persevere(t, 2*time.Hour) // an entry without an intent stays on the index for more than an hour
	trouble.over()
	require.Len(t, o.simulator.Trades(), 1)
	require.Equal(t, ledger.StatusPaid, o.status(t, order), "operation %d", at)
	require.Contains(t, program.types(), "order.paid", "operation %d", at)
	require.Equal(t, []string{"msg_" + order + "_paid"}, slices.Compact(program.ids), "operation %d", at)
	open, err := o.ledger.Open(t.Context())
	require.NoError(t, err)
	require.Empty(t, open, "operation %d", at)
	return happened
}

// insist repeats a callback that storage kept from succeeding. A code that was
// used up meanwhile leads through the OAuth again, with another order.
func (o *office) insist(t *testing.T, callback string) (order string) {
	t.Helper()
	for {
		reply := o.visit(t, callback)
		if reply.StatusCode == http.StatusServiceUnavailable {
			continue
		}
		location := reply.Header.Get("Location")
		if !strings.Contains(location, "get_weixin_oauth_code") {
			return orderIn(callback)
		}
		callback = o.back(t, location)
	}
}

// persevere lets the clerk work as lead does: what fails is tried again.
func (o *office) persevere(t *testing.T, within time.Duration) {
	t.Helper()
	for end := o.now().Add(within); o.now().Before(end); o.hands.set(o.now().Add(5 * time.Second)) {
		subjects, err := o.ledger.Open(t.Context())
		if err != nil {
			continue
		}
		if len(subjects) == 0 {
			return
		}
		for _, subject := range subjects {
			_, _ = o.clerk.look(t.Context(), subject)
		}
	}
}

func TestAStorageThatBlocksIsNotWaitedForWithoutEnd(t *testing.T) {
	for _, operation := range []string{"Load", "Store", "Lock", "List"} {
		t.Run(operation, func(t *testing.T) {
			root := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				c := counterInBubble(t, root)
				callback, other := c.authorize(t, "/pay/cat-food"), c.authorize(t, "/pay/cat-food?ref=2")
				require.Equal(t, http.StatusFound, c.visit(t, callback).StatusCode)
				order := orderIn(callback)
				time.Sleep(time.Minute)
				troubleAt(root).with(func(ctx context.Context, now, _ string) error {
					if now != operation {
						return nil
					}
					<-ctx.Done()
					return ctx.Err()
				})
				began := time.Now()
				for _, address := range []string{other, "/pay/return/" + order, "/pay/status/" + order} {
					assert.Contains(t, []int{http.StatusOK, http.StatusFound, http.StatusServiceUnavailable}, c.visit(t, address).StatusCode, address)
				}
				assert.Contains(t, []int{http.StatusOK, http.StatusServiceUnavailable}, c.receive(t, c.notification(order)))
				assert.Less(t, time.Since(began), 2*time.Minute)
				troubleAt(root).over()
				assert.Equal(t, http.StatusOK, c.receive(t, c.notification(order)))
				time.Sleep(10 * time.Second) // file locks notice that they are not needed
				require.NoError(t, c.simulator.Close())
			})
		})
	}
}

// counterInBubble is a counter without a network, for a bubble of time.
func counterInBubble(t *testing.T, root string) *counter {
	t.Helper()
	simulator, err := qfpaytest.New(qfpaytest.Config{AppCode: "TESTAPPCODE", ClientKey: "TESTKEY", Seed: 1, NoRateLimit: true, NotifyOff: true})
	require.NoError(t, err)
	h, err := provision(t, map[string]any{"storage": map[string]any{"module": "troubled", "root": root}})
	require.NoError(t, err)
	h.gateway.client, err = qfpay.NewClient(qfpay.Config{
		Gateway: "http://gateway.test", AppCode: "TESTAPPCODE", ClientKey: "TESTKEY", Transport: direct{simulator},
	})
	require.NoError(t, err)
	return &counter{Handler: h, simulator: simulator, jar: map[string]string{}}
}

func TestListsAreNotTrusted(t *testing.T) {
	for name, listed := range map[string]func([]string, error) ([]string, error){
		"temporary files": func(keys []string, err error) ([]string, error) {
			for _, key := range slices.Clone(keys) {
				keys = append(keys, path.Join(path.Dir(key), "1234567890"), key+".tmp", path.Join(path.Dir(key), ".hidden.json"))
			}
			return keys, err
		},
		"everything twice": func(keys []string, err error) ([]string, error) { return slices.Concat(keys, keys), err },
		"nothing at first": firstLists(3, func([]string, error) ([]string, error) { return nil, nil }),
		"not found at first": firstLists(3, func([]string, error) ([]string, error) {
			return nil, fmt.Errorf("list: %w", fs.ErrNotExist)
		}),
		"failing while others write": firstLists(8, func([]string, error) ([]string, error) { return nil, errors.New("file vanished") }),
		"half of it at first":        firstLists(3, func(keys []string, err error) ([]string, error) { return keys[:len(keys)/2], err }),
	} {
		t.Run(name, func(t *testing.T) {
			program := startShopProgram(t)
			o, trouble := troubledOffice(t, withWebhook(program))
			order := o.prepare(t, "/pay/cat-food")
			require.NoError(t, o.simulator.Pay(order))
			trouble.withLists(listed)
			for range 10 { // an empty list leaves the clerk with nothing to do until the next one
				o.persevere(t, time.Minute)
				o.hands.set(o.now().Add(rescanInterval))
			}
			trouble.over()
			assert.Equal(t, ledger.StatusPaid, o.status(t, order))
			assert.Equal(t, []string{"order.paid"}, slices.Compact(program.types()))
			assert.Equal(t, []string{"msg_" + order + "_paid"}, slices.Compact(program.ids))
			open, err := o.ledger.Open(t.Context())
			require.NoError(t, err)
			assert.Empty(t, open)
		})
	}
}

// firstLists spoils the first few listings only.
func firstLists(n int32, spoil func([]string, error) ([]string, error)) func([]string, error) ([]string, error) {
	var made atomic.Int32
	return func(keys []string, err error) ([]string, error) {
		if made.Add(1) <= n {
			return spoil(keys, err)
		}
		return keys, err
	}
}
