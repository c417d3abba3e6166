package outbox_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/mail"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/outbox"
)

// answering is a receiver of mails whose answer the test sets.
type answering struct {
	mu     sync.Mutex
	answer outbox.Result
}

func (*answering) Terms() outbox.Terms { return outbox.Mail(nil).Terms() }

func (a *answering) Send(context.Context, ledger.Delivery, time.Time) outbox.Result {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.answer
}
func (*answering) String() string { return "mail to the payer by mail.example.com:587" }
func (*answering) CloseIdle()     {}

func TestAMailThatIsRefusedForGoodIsGivenUpAtOnce(t *testing.T) {
	w := newWorld(t)
	w.add(1, to(0))
	w.run(map[ledger.Destination]outbox.Receiver{to(0): &answering{answer: outbox.Result{Final: true, Status: 550, Err: errors.New("no such mailbox")}}})
	d := w.attempted(1)
	assert.Equal(t, ledger.DeliveryGaveUp, d.Status)
	assert.Equal(t, 550, d.LastStatus)
	assert.Empty(t, d.Body)
	w.eventually(func() bool { return w.counts.get(outbox.GaveUp) == 1 }, "counted")
	assert.Equal(t, 1, w.logged.FilterMessage("a mail could not be delivered and was given up").Len())
	assert.Equal(t, 1, w.logged.FilterMessage("mail not delivered").Len())
}

func TestMailsHaveTheirOwnSchedule(t *testing.T) {
	w := newWorld(t)
	w.add(1, to(0))
	o := w.run(map[ledger.Destination]outbox.Receiver{to(0): &answering{answer: outbox.Result{Err: errors.New("busy")}}})
	for n := 1; n < mail.Attempts; n++ {
		d := w.attempted(n)
		due, ok := mail.Next(n+1, d.Attempted)
		require.True(t, ok)
		assert.WithinDuration(t, due, d.NextAt, 0)
		w.clock.set(d.NextAt)
		o.Wake()
	}
	assert.Equal(t, ledger.DeliveryGaveUp, w.attempted(mail.Attempts).Status)
	assert.Less(t, w.clock.Now().Sub(noon), mail.Span)
}

// lost are the deliveries of which the owner was told.
type lost struct {
	told []string
	fail bool
}

func (l *lost) gaveUp(tx *ledger.Tx, d ledger.Delivery, receiver string, now time.Time) error {
	if l.fail {
		l.fail = false
		return errors.New("on purpose")
	}
	l.told = append(l.told, receiver)
	return tx.AddDelivery(ledger.Delivery{Shop: shop, Subject: d.Subject, Endpoint: "owner", MessageID: "gave_up", Kind: "delivery.gave_up", At: now, NextAt: now})
}

func TestWhoIsToldOfALostDeliveryIsToldInTheStepThatEndsIt(t *testing.T) {
	w := newWorld(t)
	w.add(1, to(0))
	l := &lost{fail: true}
	o := outbox.New(outbox.Config{Ledger: w.ledger, Log: w.log, Now: w.clock.Now, GaveUp: l.gaveUp, Sleep: func(context.Context, time.Duration) bool { return true }})
	o.SetEndpoints(map[ledger.Destination]outbox.Receiver{to(0): &answering{answer: outbox.Result{Final: true, Err: errors.New("no")}}})
	_, err := o.Deliver(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{"mail to the payer by mail.example.com:587"}, l.told, "once, though the first try failed")
	all := w.deliveries("ORDER0")
	require.Len(t, all, 2)
	assert.Equal(t, ledger.DeliveryGaveUp, all[0].Status)
	assert.Equal(t, "delivery.gave_up", all[1].Kind)
}

func TestWhatWaitsForAGoneEndpointIsToldWhenItIsGivenUp(t *testing.T) {
	w := newWorld(t)
	p := openPlace(t, answers(http.StatusGone))
	w.add(1, to(0))
	l := new(lost)
	o := outbox.New(outbox.Config{Ledger: w.ledger, Log: w.log, Now: w.clock.Now, GaveUp: l.gaveUp})
	o.SetEndpoints(w.endpoints(p))
	_, err := o.Deliver(t.Context())
	require.NoError(t, err)
	require.Empty(t, l.told)
	w.clock.set(noon.Add(5 * 24 * time.Hour))
	_, err = o.Deliver(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{p.URL + "/paid"}, l.told)
}
