package outbox_test

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zapcore"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/outbox"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/webhook"
)

func TestEachMessageReachesEachEndpointOnce(t *testing.T) {
	w := newWorld(t)
	first, second := openPlace(t, answers(http.StatusOK)), openPlace(t, answers(http.StatusNoContent))
	o := w.run(w.endpoints(first, second))
	w.add(20, to(0), to(1))
	o.Wake()

	w.eventually(func() bool { return w.counts.get(outbox.Delivered) == 40 }, "all delivered")
	o.stop()

	assert.Len(t, first.ids(), 20)
	assert.Len(t, second.ids(), 20)
	for _, d := range w.deliveries("ORDER7") {
		assert.Equal(t, ledger.DeliveryDelivered, d.Status)
		assert.Equal(t, 1, d.Attempts)
		assert.Equal(t, noon, d.Attempted)
		assert.Empty(t, d.LastError)
		assert.Empty(t, d.Body, "what is done with keeps nothing of the payer")
		assert.True(t, d.NextAt.IsZero())
	}
	line := w.logged.FilterMessage("webhook").All()[0].ContextMap()
	assert.Equal(t, "order.paid", line["event"])
	assert.Contains(t, line["order"], "ORDER")
	assert.NotContains(t, line["endpoint"], "opensesame")
}

func TestWhatIsDueAtTheStartNeedsNoWake(t *testing.T) {
	w := newWorld(t)
	w.add(30, to(0)) // more than there are slots
	p := openPlace(t, answers(http.StatusOK))
	w.run(w.endpoints(p))

	w.eventually(func() bool { return len(p.ids()) == 30 }, "all delivered")
}

func TestAttemptsFollowTheScheduleOverDaysAndThenEnd(t *testing.T) {
	w := newWorld(t)
	p := openPlace(t, answers(http.StatusInternalServerError))
	o := w.run(w.endpoints(p))
	w.add(1, to(0))
	o.Wake()

	for n := 1; n < webhook.Attempts; n++ {
		d := w.attempted(n)
		due, ok := webhook.Next(d.MessageID, n+1, d.Attempted)
		require.True(t, ok)
		require.WithinDuration(t, due, d.NextAt, time.Microsecond)
		assert.Equal(t, http.StatusInternalServerError, d.LastStatus)
		assert.Contains(t, d.LastError, "answered 500")
		assert.NotContains(t, d.LastError, "opensesame")

		w.clock.set(d.NextAt.Add(-time.Millisecond))
		o.Wake()
		time.Sleep(10 * time.Millisecond)
		require.Len(t, p.attempts(), n, "none before its time")

		w.clock.set(d.NextAt)
		o.Wake()
	}
	d := w.attempted(webhook.Attempts)
	assert.Equal(t, ledger.DeliveryGaveUp, d.Status)
	assert.True(t, d.NextAt.IsZero())
	assert.WithinDuration(t, noon.Add(75*time.Hour+35*time.Minute), d.Attempted, 8*time.Hour)

	w.clock.set(d.Attempted.Add(30 * 24 * time.Hour))
	o.Wake()
	time.Sleep(20 * time.Millisecond)
	o.stop()
	require.Len(t, p.attempts(), webhook.Attempts)
	assert.Equal(t, webhook.Attempts, w.counts.get(outbox.Failed))
	assert.Equal(t, 1, w.counts.get(outbox.GaveUp))
	assert.Equal(t, 1, w.logged.FilterMessage("a webhook could not be delivered and was given up").Len())

	for _, attempt := range p.attempts() {
		assert.Equal(t, p.attempts()[0], attempt, "the same id and the same bytes at every attempt")
	}
}

func TestAHangingReceiverDelaysNobodyElse(t *testing.T) {
	w := newWorld(t)
	hanging, good := openPlace(t, hangs), openPlace(t, answers(http.StatusOK))
	o := w.run(w.endpoints(hanging, good))
	w.add(48, to(0))
	o.Wake()
	w.eventually(func() bool { return len(hanging.attempts()) == 8 }, "all slots of the one hang")

	began := time.Now()
	w.add(48, to(1))
	o.Wake()
	w.eventually(func() bool { return len(good.attempts()) == 48 }, "all delivered to the other")
	assert.Less(t, time.Since(began), 10*time.Second, "before those that hang are given up")
	assert.Len(t, hanging.attempts(), 8)
	assert.Equal(t, noon, w.deliveries("ORDER47")[0].NextAt, "what has no slot is not leased")
}

func TestASlowButRightReceiverHasNoFailures(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	slow := openPlace(t, func(http.ResponseWriter, *http.Request) { time.Sleep(12 * time.Second) })
	o := w.run(w.endpoints(slow))
	w.add(16, to(0))
	o.Wake()

	require.Eventually(t, func() bool { return w.counts.get(outbox.Delivered) == 16 }, 28*time.Second, 10*time.Millisecond)
	o.stop()
	assert.Zero(t, w.counts.get(outbox.Failed))
	assert.Len(t, slow.attempts(), 16)
}

func TestTheLeaseOfADeadProcessEnds(t *testing.T) {
	w := newWorld(t)
	w.add(1, to(0))
	p := openPlace(t, answers(http.StatusOK))
	until := noon.Add(35 * time.Second)
	require.NoError(t, w.ledger.Update(t.Context(), func(tx *ledger.Tx) error { // by a process that died then
		_, err := tx.LeaseDeliveries(to(0), noon, until, 8)
		return err
	}))
	o := w.run(w.endpoints(p))

	w.clock.set(until.Add(-time.Millisecond))
	o.Wake()
	time.Sleep(30 * time.Millisecond)
	require.Empty(t, p.attempts())

	w.clock.set(until)
	o.Wake()
	w.eventually(func() bool { return len(p.attempts()) == 1 }, "taken over")
}

func TestALeaseIsLongerThanAnAttemptMayTake(t *testing.T) {
	w := newWorld(t)
	p := openPlace(t, hangs)
	w.add(1, to(0))
	w.run(w.endpoints(p))
	w.eventually(func() bool { return len(p.attempts()) == 1 }, "leased")
	assert.GreaterOrEqual(t, w.delivery().NextAt.Sub(noon), 30*time.Second)
	assert.LessOrEqual(t, w.delivery().NextAt.Sub(noon), time.Minute)
}

func TestTwoOutboxesDeliverEachMessageOnce(t *testing.T) {
	w := newWorld(t)
	p := openPlace(t, func(http.ResponseWriter, *http.Request) { time.Sleep(time.Millisecond) })
	endpoints := w.endpoints(p)
	first, second := w.run(endpoints), w.run(endpoints)
	for range 3 {
		w.add(100, to(0)) // the same messages: those that are there stay
		first.Wake()
		second.Wake()
	}
	w.eventually(func() bool { return w.counts.get(outbox.Delivered) == 100 }, "all delivered")
	first.stop()
	second.stop()
	ids := p.ids()
	require.Len(t, ids, 100)
	for i := 1; i < len(ids); i++ {
		assert.NotEqual(t, ids[i-1], ids[i])
	}
}

func TestAnAttemptThatOurOwnStopCutsDoesNotCount(t *testing.T) {
	w := newWorld(t)
	w.add(3, to(0))
	var open atomic.Bool
	p := openPlace(t, func(rw http.ResponseWriter, r *http.Request) {
		if !open.Load() {
			hangs(rw, r)
		}
	})
	endpoints := w.endpoints(p)
	o := w.run(endpoints)
	w.eventually(func() bool { return len(p.attempts()) == 3 }, "all under way")

	began := time.Now()
	o.stop()
	assert.Less(t, time.Since(began), 10*time.Second, "before those that hang are given up")
	d := w.deliveries("ORDER1")[0]
	assert.Zero(t, d.Attempts)
	assert.Equal(t, ledger.DeliveryDue, d.Status)
	assert.Equal(t, noon, d.NextAt, "due at once")
	assert.JSONEq(t, `{"order":"ORDER1","ref":"a<b"}`, string(d.Body))
	assert.Zero(t, w.counts.get(outbox.Failed))

	open.Store(true)
	w.run(endpoints)
	w.eventually(func() bool { return w.counts.get(outbox.Delivered) == 3 }, "all delivered by the next one")
}

func TestAGoneEndpointIsToldNothingUntilTheConfigurationIsLoadedAgain(t *testing.T) {
	w := newWorld(t)
	var status atomic.Int32
	status.Store(http.StatusGone)
	p := openPlace(t, func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(int(status.Load())) })
	endpoints := w.endpoints(p)
	o := w.run(endpoints)
	w.add(1, to(0))
	o.Wake()
	d := w.attempted(1)
	assert.Equal(t, ledger.DeliveryDue, d.Status)
	assert.Equal(t, http.StatusGone, d.LastStatus)
	assert.Equal(t, 1, w.counts.get(outbox.Gone))
	assert.Zero(t, w.counts.get(outbox.Failed))

	w.add(5, to(0)) // four more
	for _, later := range []time.Duration{time.Minute, 2 * time.Hour, 3 * 24 * time.Hour} {
		w.clock.set(noon.Add(later))
		o.Wake()
		time.Sleep(20 * time.Millisecond)
		require.Len(t, p.attempts(), 1, "after %s", later)
	}

	status.Store(http.StatusOK)
	o.SetEndpoints(endpoints)
	w.eventually(func() bool { return w.counts.get(outbox.Delivered) == 5 }, "all that waited")
	assert.Zero(t, w.counts.get(outbox.GaveUp))
}

func TestWhatWaitsForAGoneEndpointIsGivenUpInTheEnd(t *testing.T) {
	w := newWorld(t)
	p := openPlace(t, answers(http.StatusGone))
	o := w.run(w.endpoints(p))
	w.add(1, to(0))
	o.Wake()
	w.attempted(1)
	w.add(5, to(0)) // four more

	w.clock.set(noon.Add(webhook.Span))
	o.Wake()
	time.Sleep(20 * time.Millisecond)
	assert.Zero(t, w.counts.get(outbox.GaveUp), "not before its time")

	w.clock.set(noon.Add(webhook.Span + time.Hour))
	o.Wake()
	w.eventually(func() bool { return w.counts.get(outbox.GaveUp) == 5 }, "all given up")
	require.Len(t, p.attempts(), 1)
	d := w.deliveries("ORDER4")[0]
	assert.Equal(t, ledger.DeliveryGaveUp, d.Status)
	assert.Zero(t, d.Attempts)
	assert.Empty(t, d.Body)
}

func TestRetryAfterPutsTheNextAttemptOff(t *testing.T) {
	for name, test := range map[string]struct{ asked, wait time.Duration }{
		"longer than the schedule":  {90 * time.Minute, 90 * time.Minute},
		"shorter than the schedule": {time.Second, 5 * time.Second},
		"longer than we would wait": {40 * 24 * time.Hour, 24 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			p := openPlace(t, func(rw http.ResponseWriter, _ *http.Request) {
				rw.Header().Set("Retry-After", strconv.Itoa(int(test.asked.Seconds())))
				rw.WriteHeader(http.StatusServiceUnavailable)
			})
			w.add(1, to(0))
			w.run(w.endpoints(p))
			d := w.attempted(1)
			assert.InDelta(t, test.wait.Seconds(), d.NextAt.Sub(noon).Seconds(), 0.5)
		})
	}
}

func TestARedirectIsAFailure(t *testing.T) {
	w := newWorld(t)
	p := openPlace(t, func(rw http.ResponseWriter, r *http.Request) {
		http.Redirect(rw, r, "/elsewhere", http.StatusTemporaryRedirect)
	})
	w.add(1, to(0))
	w.run(w.endpoints(p))
	d := w.attempted(1)
	assert.Equal(t, http.StatusTemporaryRedirect, d.LastStatus)
	assert.Equal(t, ledger.DeliveryDue, d.Status)
	assert.Len(t, p.attempts(), 1)
}

func TestAnEndpointThatIsNotOursIsLeftAlone(t *testing.T) {
	w := newWorld(t)
	p := openPlace(t, answers(http.StatusOK))
	w.add(1, to(0), to(1), ledger.Destination{Shop: "another", Endpoint: "a"})
	w.run(w.endpoints(p))
	w.eventually(func() bool { return w.counts.get(outbox.Delivered) == 1 }, "ours")
	time.Sleep(20 * time.Millisecond)
	require.Len(t, p.attempts(), 1)
	for _, d := range w.deliveries("ORDER0") {
		if d.Shop != shop || d.Endpoint != "a" {
			assert.Equal(t, noon, d.NextAt, "not leased")
			assert.Equal(t, ledger.DeliveryDue, d.Status)
		}
	}
}

// panicking is a receiver with a mistake in it.
type panicking struct{}

func (panicking) Terms() outbox.Terms {
	return outbox.Terms{Kind: "webhook", Slots: 8, Limit: time.Second, Next: webhook.Next}
}
func (panicking) Send(context.Context, ledger.Delivery, time.Time) outbox.Result { panic("a mistake") }
func (panicking) String() string                                                 { return "panicking" }
func (panicking) CloseIdle()                                                     {}

func TestAPanicIsAFailedAttempt(t *testing.T) {
	w := newWorld(t)
	p := openPlace(t, answers(http.StatusOK))
	endpoints := w.endpoints(p)
	endpoints[to(1)] = panicking{}
	w.add(10, to(0), to(1))
	w.run(endpoints)

	w.eventually(func() bool { return w.counts.get(outbox.Failed) == 10 && w.counts.get(outbox.Delivered) == 10 }, "all attempted")
	w.eventually(func() bool { return w.deliveries("ORDER3")[1].Attempts == 1 }, "saved")
	assert.Equal(t, 5*time.Second, w.deliveries("ORDER3")[1].NextAt.Sub(noon).Round(time.Second))
	assert.Equal(t, 10, w.logged.FilterMessage("panic").Len())
}

// shaky is a ledger whose steps fail as the test wants.
type shaky struct {
	ledger.Ledger
	updates    atomic.Int32
	failUpdate func(n int32) bool // of the n-th, from 1
	failViews  atomic.Bool
	views      atomic.Int32
}

var errShaky = errors.New("the disk is full")

func (s *shaky) Update(ctx context.Context, step func(*ledger.Tx) error) error {
	if n := s.updates.Add(1); s.failUpdate != nil && s.failUpdate(n) {
		return errShaky
	}
	return s.Ledger.Update(ctx, step)
}

func (s *shaky) View(ctx context.Context, step func(*ledger.Tx) error) error {
	s.views.Add(1)
	if s.failViews.Load() {
		return errShaky
	}
	return s.Ledger.View(ctx, step)
}

func TestSavingIsTriedAgain(t *testing.T) {
	w := newWorld(t)
	p := openPlace(t, answers(http.StatusOK))
	w.add(1, to(0))
	w.runOn(&shaky{Ledger: w.ledger, failUpdate: func(n int32) bool { return n == 2 || n == 3 }}, w.endpoints(p)) // 1 leases

	w.eventually(func() bool { return w.delivery().Status == ledger.DeliveryDelivered }, "saved")
	assert.Len(t, p.attempts(), 1)
	assert.Equal(t, 1, w.counts.get(outbox.Delivered))
}

func TestWhatCannotBeSavedIsSentAgainWhenItsLeaseEnds(t *testing.T) {
	w := newWorld(t)
	p := openPlace(t, answers(http.StatusOK))
	w.add(1, to(0))
	var mended atomic.Bool
	o := w.runOn(&shaky{Ledger: w.ledger, failUpdate: func(n int32) bool { return n > 1 && !mended.Load() }}, w.endpoints(p))

	w.eventually(func() bool {
		return w.logged.FilterMessage("the outcome of a webhook could not be stored: it will be sent again").Len() == 1
	}, "given up saving")
	mended.Store(true)
	o.Wake()
	time.Sleep(20 * time.Millisecond)
	require.Len(t, p.attempts(), 1, "the lease holds")

	w.clock.set(w.delivery().NextAt)
	o.Wake()
	w.eventually(func() bool { return w.delivery().Status == ledger.DeliveryDelivered }, "saved")
	require.Len(t, p.attempts(), 2)
	assert.Equal(t, p.attempts()[0], p.attempts()[1])
}

func TestALedgerThatCannotBeReadIsReadAgain(t *testing.T) {
	w := newWorld(t)
	p := openPlace(t, answers(http.StatusOK))
	w.add(8, to(0))
	s := &shaky{Ledger: w.ledger}
	s.failViews.Store(true)
	s.failUpdate = func(n int32) bool { return n == 1 } // the first lease
	o := w.runOn(s, w.endpoints(p))
	w.eventually(func() bool { return w.logged.FilterMessage("the outbox cannot read the ledger").Len() > 0 }, "logged")

	s.failViews.Store(false)
	o.Wake()
	w.eventually(func() bool { return w.logged.FilterMessage("the outbox cannot lease what is due").Len() == 1 }, "logged")
	require.Empty(t, p.attempts(), "what is not leased is not sent")

	o.Wake()
	w.eventually(func() bool { return w.counts.get(outbox.Delivered) == 8 }, "its slots are free again")
}

func TestAnIdleOutboxAsksOncePerLook(t *testing.T) {
	w := newWorld(t)
	endpoints := w.endpoints()
	for i := range 1000 {
		endpoints[ledger.Destination{Shop: "shop" + strconv.Itoa(i), Endpoint: "a"}] = panicking{}
	}
	s := &shaky{Ledger: w.ledger}
	o := w.runOn(s, endpoints)
	w.eventually(func() bool { return s.views.Load() >= 1 }, "looked")
	time.Sleep(50 * time.Millisecond)
	before := s.views.Load()
	o.Wake()
	time.Sleep(50 * time.Millisecond)
	assert.Equal(t, before+1, s.views.Load())
	assert.Zero(t, s.updates.Load())
}

func TestWhatIsDueLaterIsSentThenWithoutAWake(t *testing.T) {
	w := newWorld(t)
	p := openPlace(t, answers(http.StatusOK))
	began := time.Now()
	moving := func() time.Time { return noon.Add(time.Since(began)) }
	require.NoError(t, w.ledger.Update(t.Context(), func(tx *ledger.Tx) error {
		return tx.AddDelivery(ledger.Delivery{
			Shop: shop, Subject: "ORDER0", Endpoint: "a", MessageID: "msg_ORDER0_paid", Kind: "order.paid",
			At: noon, Body: []byte("{}"), NextAt: noon.Add(300 * time.Millisecond),
		})
	}))
	o := outbox.New(outbox.Config{Ledger: w.ledger, Log: w.log, Now: moving})
	o.SetEndpoints(w.endpoints(p))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); o.Run(ctx) }()

	w.eventually(func() bool { return len(p.attempts()) == 1 }, "sent")
	assert.GreaterOrEqual(t, time.Since(began), 300*time.Millisecond)
	cancel()
	<-ended
	for _, line := range w.logged.All() {
		assert.Less(t, line.Level, zapcore.WarnLevel, line.Message)
	}
}
