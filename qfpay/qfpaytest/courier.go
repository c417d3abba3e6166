package qfpaytest

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// maxParcels bounds the notifications that wait for their time.
	maxParcels = 10_000

	// couriers is how many notifications can be under way at once.
	couriers = 4
)

// courier delivers notifications until they are accepted or the schedule ends.
// Its goroutines start with the first notification and end with close.
type courier struct {
	client *http.Client
	now    func() time.Time
	logger *slog.Logger
	scale  float64
	keep   int // deliveries remembered

	stop   context.Context
	cancel context.CancelFunc
	done   sync.WaitGroup
	wake   chan struct{}

	mu       sync.Mutex
	started  bool
	parcels  []parcel
	recorded []Delivery
}

// parcel is a delivery that waits for its time.
type parcel struct {
	delivery Delivery
	due      time.Time
}

func newCourier(cfg Config) *courier {
	stop, cancel := context.WithCancel(context.Background())
	return &courier{
		client: cfg.Client,
		now:    cfg.Now,
		logger: cfg.Logger,
		scale:  cfg.TimeScale,
		keep:   cfg.MaxTrades,
		stop:   stop,
		cancel: cancel,
		wake:   make(chan struct{}, 1),
	}
}

// send delivers as soon as possible. After close it does nothing.
func (c *courier) send(d Delivery) { c.schedule(d, time.Now()) }

func (c *courier) schedule(d Delivery, due time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stop.Err() != nil {
		return
	}
	if len(c.parcels) == maxParcels {
		c.logger.Warn("too many notifications are waiting: one is lost", "out_trade_no", d.OutTradeNo)
		return
	}
	c.parcels = append(c.parcels, parcel{d, due})
	c.start()
	c.signal()
}

// start starts the goroutines once. The caller holds the lock.
func (c *courier) start() {
	if c.started {
		return
	}
	c.started = true
	for range couriers {
		c.done.Go(c.run)
	}
}

// signal wakes one idle goroutine.
func (c *courier) signal() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

func (c *courier) close() {
	c.mu.Lock()
	c.cancel()
	c.mu.Unlock()
	c.done.Wait()
	c.client.CloseIdleConnections()
}

func (c *courier) run() {
	for c.stop.Err() == nil {
		d, wait := c.next()
		if wait == 0 {
			c.carry(d)
			continue
		}
		c.idle(wait)
	}
}

// next takes the parcel that is due first, or says how long there is none.
func (c *courier) next() (d Delivery, wait time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.parcels) == 0 {
		return Delivery{}, time.Hour
	}
	first := 0
	for i, p := range c.parcels {
		if p.due.Before(c.parcels[first].due) {
			first = i
		}
	}
	if wait = time.Until(c.parcels[first].due); wait > 0 {
		return Delivery{}, wait
	}
	d = c.parcels[first].delivery
	c.parcels = slices.Delete(c.parcels, first, first+1)
	if len(c.parcels) > 0 {
		c.signal()
	}
	return d, 0
}

func (c *courier) idle(wait time.Duration) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-c.stop.Done():
	case <-c.wake:
	case <-timer.C:
	}
}

// carry makes one attempt, records it, and schedules the next one if need be.
func (c *courier) carry(d Delivery) {
	d.At = c.now()
	c.attempt(&d)
	c.record(d)
	c.logger.Debug("notified", "out_trade_no", d.OutTradeNo, "attempt", d.Attempt, "accepted", d.Accepted)
	if d.Accepted || d.Attempt > len(retryAfter) {
		return
	}
	wait := time.Duration(float64(retryAfter[d.Attempt-1]) / c.scale)
	c.schedule(d.again(), time.Now().Add(wait))
}

// again is the next attempt at a delivery.
func (d Delivery) again() Delivery {
	return Delivery{
		NotifyType: d.NotifyType,
		OutTradeNo: d.OutTradeNo,
		Syssn:      d.Syssn,
		URL:        d.URL,
		Attempt:    d.Attempt + 1,
		Body:       d.Body,
		Sign:       d.Sign,
	}
}

// attempt posts a delivery and notes the answer. A panic, as of a transport that
// the owner has brought along, counts as no answer.
func (c *courier) attempt(d *Delivery) {
	defer func() {
		if cause := recover(); cause != nil {
			d.Error = fmt.Sprintf("panic: %v", cause)
		}
	}()
	if err := c.post(d); err != nil {
		d.Error = err.Error()
	}
}

func (c *courier) post(d *Delivery) error {
	request, err := http.NewRequestWithContext(c.stop, http.MethodPost, d.URL, strings.NewReader(d.Body))
	if err != nil {
		return err
	}
	request.Header = d.header()
	response, err := c.client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	reply, err := io.ReadAll(io.LimitReader(response.Body, maxReply+1))
	d.Status = response.StatusCode
	d.Accepted = err == nil && d.Status == http.StatusOK && isAccepted(reply)
	d.Reply = string(reply[:min(len(reply), maxReply)])
	return err
}

func isAccepted(reply []byte) bool {
	return len(reply) <= maxReply && strings.TrimSpace(string(reply)) == accepted
}

func (c *courier) record(d Delivery) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.recorded) == c.keep {
		c.recorded = c.recorded[1:]
	}
	c.recorded = append(c.recorded, d)
}

func (c *courier) deliveries() []Delivery {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.recorded)
}
