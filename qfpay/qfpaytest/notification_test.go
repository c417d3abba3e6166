package qfpaytest_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

// inbox is a merchant's address for notifications.
type inbox struct {
	*testing.T
	url      string
	received chan received
}

type received struct {
	header http.Header
	body   string
}

// newInbox gives the answers in turn, and then the last one for ever.
func newInbox(t *testing.T, answers ...string) *inbox {
	box := &inbox{T: t, received: make(chan received, 64)}
	remaining := make(chan string, len(answers))
	for _, a := range answers[:len(answers)-1] {
		remaining <- a
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		answer := answers[len(answers)-1]
		select {
		case answer = <-remaining:
		default:
		}
		_, _ = io.WriteString(w, answer)
		box.received <- received{r.Header, string(body)}
	}))
	t.Cleanup(server.Close)
	box.url = server.URL
	return box
}

// registered makes the inbox the address "registered by email".
func (b *inbox) registered(c *qfpaytest.Config) {
	c.AnyPort, c.NotifyURL, c.TimeScale = true, b.url, 1e9
}

func (b *inbox) wait(count int) (all []received) {
	b.Helper()
	for range count {
		select {
		case one := <-b.received:
			all = append(all, one)
		case <-time.After(10 * time.Second):
			require.FailNow(b, "no notification")
		}
	}
	return all
}

// delivered waits for so many deliveries, stops, and makes sure of no more.
func (s *shop) delivered(count int) []qfpaytest.Delivery {
	s.Helper()
	require.Eventually(s, func() bool { return len(s.gateway.Notifications()) >= count }, time.Minute, time.Millisecond)
	require.NoError(s, s.gateway.Close())
	all := s.gateway.Notifications()
	require.Len(s, all, count)
	return all
}

func TestSuccessesAreNotifiedAndSigned(t *testing.T) {
	box := newInbox(t, "SUCCESS\n")
	s := newShop(t, box.registered)
	reply := s.opened("N1", map[string]string{"goods_name": "茶"})
	require.NoError(t, s.gateway.Pay("N1"))
	paid := box.wait(1)[0]
	assert.Equal(t, md5Of(paid.body+key), paid.header.Get("X-QF-SIGN"))
	assert.Equal(t, "application/json", paid.header.Get("Content-Type"))
	assert.Contains(t, paid.body, `"goods_name": "\u8336", `)

	refund := map[string]string{"syssn": reply["syssn"].(string), "out_trade_no": "R1", "txamt": "1", "txdtm": noonText}
	require.Equal(t, "0000", s.post("/trade/v1/refund", refund).respcd())
	refunded := box.wait(1)[0]

	var first, second map[string]string
	require.NoError(t, json.Unmarshal([]byte(paid.body), &first), "every member is a string")
	require.NoError(t, json.Unmarshal([]byte(refunded.body), &second))
	assert.Equal(t, "payment", first["notify_type"])
	assert.Equal(t, "12800", first["txamt"])
	assert.Equal(t, "cancel", second["notify_type"])
	assert.Equal(t, reply["syssn"], second["orig_syssn"])
	assert.NotEqual(t, reply["syssn"], second["syssn"])
}

func TestNotificationsAreRepeatedUntilAccepted(t *testing.T) {
	cases := map[string]struct {
		answers  []string
		attempts int
	}{
		"accepted at once":         {[]string{"SUCCESS"}, 1},
		"accepted the third time":  {[]string{"success", "", " SUCCESS "}, 3},
		"never accepted":           {[]string{"OK"}, 8},
		"endless answer, then yes": {[]string{"SUCCESS" + string(make([]byte, 1<<20)), "SUCCESS"}, 2},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			box := newInbox(t, c.answers...)
			s := newShop(t, box.registered)
			s.paid("N1")
			bodies := box.wait(c.attempts)
			deliveries := s.delivered(c.attempts)
			for i, d := range deliveries {
				assert.Equal(t, i+1, d.Attempt)
				assert.Equal(t, bodies[0], received{bodies[0].header, d.Body}, "the same bytes each time")
			}
			assert.Equal(t, name != "never accepted", deliveries[c.attempts-1].Accepted)
		})
	}
}

func TestWhatIsNotNotified(t *testing.T) {
	box := newInbox(t, "SUCCESS")
	s := newShop(t, box.registered)
	s.opened("OPEN")
	s.opened("FAILED")
	require.NoError(t, s.gateway.Fail("FAILED"))
	s.opened("CLOSED")
	require.Equal(t, "0000", s.post("/trade/v1/close", closing("CLOSED")).respcd())
	s.gateway.SetNotifications(false)
	s.paid("SILENT")
	s.gateway.SetNotifications(true)
	s.paid("LOUD")
	assert.Equal(t, "LOUD", s.delivered(1)[0].OutTradeNo)
}

func TestAPaymentsOwnAddressComesFirstAndRedirectsAreNotFollowed(t *testing.T) {
	own, registered := newInbox(t, "SUCCESS"), newInbox(t, "SUCCESS")
	s := newShop(t, registered.registered)
	s.opened("N1", map[string]string{"notify_url": own.url})
	require.NoError(t, s.gateway.Pay("N1"))
	own.wait(1)

	elsewhere := httptest.NewServer(http.RedirectHandler(own.url, http.StatusTemporaryRedirect))
	t.Cleanup(elsewhere.Close)
	s.opened("N2", map[string]string{"notify_url": elsewhere.URL})
	require.NoError(t, s.gateway.Pay("N2"))
	deliveries := s.delivered(9)
	assert.Empty(t, own.received)
	assert.Empty(t, registered.received)
	assert.Equal(t, http.StatusTemporaryRedirect, deliveries[8].Status)
}

// brokenTransport panics, as somebody else's code may.
type brokenTransport struct{}

func (brokenTransport) RoundTrip(*http.Request) (*http.Response, error) { panic("broken") }

func TestAPanicInTheTransportIsSurvived(t *testing.T) {
	s := newShop(t, func(c *qfpaytest.Config) {
		c.NotifyURL, c.TimeScale = "http://shop.example/", 1e9
		c.Client = &http.Client{Transport: brokenTransport{}}
	})
	s.paid("N1")
	assert.Contains(t, s.delivered(8)[0].Error, "broken")
}

func TestClosingWaitsForNobody(t *testing.T) {
	hanging := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadAll(r.Body)
		<-r.Context().Done()
	}))
	t.Cleanup(hanging.Close)
	s := newShop(t, func(c *qfpaytest.Config) { c.AnyPort, c.NotifyURL = true, hanging.URL })
	s.paid("N1")
	start := time.Now()
	require.NoError(t, s.gateway.Close())
	assert.Less(t, time.Since(start), 5*time.Second)
}
