package cluster

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// post carries the gateway's notifications to the shop: some are lost and some
// of the answers, some arrive twice at once, and some once more much later.
// What the gateway gets no answer to it sends again.
type post struct {
	late    sync.WaitGroup
	closing context.Context
	close   func()

	mu   sync.Mutex
	dice *rand.Rand
}

func newPost(dice *rand.Rand) *post {
	p := &post{dice: dice}
	var cancel func()
	p.closing, cancel = context.WithCancel(context.Background())
	p.close = func() {
		cancel()
		p.late.Wait()
	}
	return p
}

func (p *post) client() *http.Client { return &http.Client{Transport: p, Timeout: patience} }

var errLost = errors.New("lost in the post")

func (p *post) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	fate, delay := p.draw()
	switch {
	case fate < 0.10:
		return nil, errLost
	case fate < 0.20:
		p.carryLater(r, body, 0)
		return nil, errLost
	case fate < 0.30:
		p.carryLater(r, body, 0)
	case fate < 0.40:
		p.carryLater(r, body, delay)
	}
	return carry(r, body)
}

func (p *post) draw() (fate float64, delay time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dice.Float64(), between(p.dice, time.Second, 8*time.Second)
}

// carryLater carries a letter of which nobody reads the answer.
func (p *post) carryLater(r *http.Request, body []byte, delay time.Duration) {
	r = r.Clone(p.closing)
	p.late.Go(func() {
		if !pause(p.closing, delay) {
			return
		}
		if answer, err := carry(r, body); err == nil {
			_, _ = io.Copy(io.Discard, answer.Body)
			_ = answer.Body.Close()
		}
	})
}

func carry(r *http.Request, body []byte) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Body = io.NopCloser(bytes.NewReader(body))
	return http.DefaultTransport.RoundTrip(r)
}
