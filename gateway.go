package qfpayjsapi

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// gateway is the client of an account, with every call counted against the
// gateway's limit and measured.
type gateway struct {
	client *qfpay.Client
	pace   *pace
	name   string // of the ledger
}

// call begins a call. What it returns ends it, with the error that the call
// had.
func (g gateway) call(name string) (done func(*error)) {
	g.pace.count()
	began := time.Now()
	return func(err *error) {
		g.pace.learn(*err)
		observe(g.name, name, began, *err)
	}
}

func (g gateway) OAuthURL(redirectURI string) (string, error) { return g.client.OAuthURL(redirectURI) }

func (g gateway) OpenID(ctx context.Context, code string) (openID string, err error) {
	defer g.call("openid")(&err)
	return g.client.OpenID(ctx, code)
}

func (g gateway) Pay(ctx context.Context, payment qfpay.Payment) (prepared *qfpay.Prepared, err error) {
	defer g.call("payment")(&err)
	return g.client.Pay(ctx, payment)
}

func (g gateway) Query(ctx context.Context, query qfpay.Query) (trades []qfpay.Trade, err error) {
	defer g.call("query")(&err)
	return g.client.Query(ctx, query)
}

func (g gateway) Close(ctx context.Context, request qfpay.Close) (err error) {
	defer g.call("close")(&err)
	return g.client.Close(ctx, request)
}

func (g gateway) Refund(ctx context.Context, refund qfpay.Refund) (syssn string, err error) {
	defer g.call("refund")(&err)
	return g.client.Refund(ctx, refund)
}

// The gateway takes 100 requests a second and 400 a minute from a merchant. A
// bucket of 40 that gains 6 a second never lets more than 400 through in any
// minute. What was asked more than a minute ago the gateway has forgotten, so
// that nothing is owed for it.
const (
	paceBurst = 40
	paceRate  = 6
	paceDebt  = 60 * paceRate
)

// paceQueue is how many of the app's workers wait for the gateway at most. The
// others are left for what needs no gateway, above all for telling the shop.
const paceQueue = workers / 2

// pace is the account's share of the gateway. Payers' calls are counted and
// never wait; the app's wait for what payers leave over.
type pace struct {
	bucket *rate.Limiter

	mu      sync.Mutex
	resume  time.Time     // after a 429
	backoff time.Duration // doubles while 429s follow each other
	waiting int
}

func newPace() *pace { return &pace{bucket: rate.NewLimiter(paceRate, paceBurst)} }

// count notes a call. It may drive the bucket below zero.
func (p *pace) count() {
	if now := time.Now(); p.bucket.TokensAt(now) > -paceDebt {
		p.bucket.ReserveN(now, 1)
	}
}

// wait blocks until a call may be made that no payer waits for. Where too many
// are waiting already, it says at once when to come again.
func (p *pace) wait(ctx context.Context) (later time.Duration, err error) {
	if !p.queue() {
		return troubleWait, nil
	}
	defer p.leave()
	return 0, p.await(ctx)
}

func (p *pace) queue() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.waiting == paceQueue {
		return false
	}
	p.waiting++
	return true
}

func (p *pace) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting--
}

func (p *pace) await(ctx context.Context) error {
	for {
		delay := p.delay(time.Now())
		if delay <= 0 {
			return nil
		}
		if err := sleep(ctx, delay); err != nil {
			return err
		}
	}
}

func (p *pace) delay(now time.Time) time.Duration {
	p.mu.Lock()
	paused := p.resume.Sub(now)
	p.mu.Unlock()
	missing := 1 - p.bucket.TokensAt(now)
	return max(paused, time.Duration(missing/paceRate*float64(time.Second)))
}

// learn slows the app down after the gateway said that it was too much.
func (p *pace) learn(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var failure *qfpay.Error
	if !errors.As(err, &failure) || failure.Fault != qfpay.FaultBusy {
		p.backoff = 0
		return
	}
	p.backoff = min(max(2*p.backoff, time.Second), time.Minute)
	p.resume = time.Now().Add(max(p.backoff, failure.RetryAfter))
}

// sleep waits for a time or until the context ends.
func sleep(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
