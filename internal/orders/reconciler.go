package orders

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// Reconciler brings the open orders of a ledger to their end: it asks the gateway
// about those that are due, ends those whose time is over, and follows refunds.
// Every node has one, and each order is leased to one of them at a time.
type Reconciler struct {
	Ledger   ledger.Ledger
	Shops    *Shops
	Observer Observer
	Log      *zap.Logger
	Now      func() time.Time

	bell      chan struct{}
	strangers []string // shops with due orders that nobody here knows
}

// How a reconciler divides its time.
const (
	workers     = 16               // orders looked at at once
	leaseLimit  = 90 * time.Second // above attendLimit
	troubleWait = 5 * time.Second  // after the ledger failed
	countWait   = 15 * time.Second // between counts of open orders
	mostUnknown = 1000             // shops
)

// NewReconciler returns the reconciler of a ledger.
func NewReconciler(l ledger.Ledger, shops *Shops, observer Observer, log *zap.Logger, now func() time.Time) *Reconciler {
	return &Reconciler{Ledger: l, Shops: shops, Observer: observer, Log: log, Now: now, bell: make(chan struct{}, 1)}
}

// Wake has it look now.
func (r *Reconciler) Wake() {
	select {
	case r.bell <- struct{}{}:
	default:
	}
}

// Run works until the context ends, and returns when nothing of it runs any more.
func (r *Reconciler) Run(ctx context.Context) {
	var work sync.WaitGroup
	defer work.Wait()
	free := make(chan struct{}, workers)
	for range workers {
		free <- struct{}{}
	}
	var counted, erase time.Time
	for ctx.Err() == nil {
		if now := time.Now(); !now.Before(erase) {
			erase = now.Add(r.safeErase(ctx))
		}
		if time.Since(counted) >= countWait {
			counted = time.Now()
			r.count(ctx)
		}
		due, wait := r.safeTake(ctx, len(free))
		for _, d := range due {
			<-free
			work.Go(func() {
				defer func() { free <- struct{}{}; r.Wake() }()
				r.attend(ctx, d)
			})
		}
		select {
		case <-ctx.Done():
		case <-r.bell:
		case <-time.After(wait):
		}
	}
}

// safeTake survives what should not happen.
func (r *Reconciler) safeTake(ctx context.Context, most int) (due []ledger.Due, wait time.Duration) {
	wait = troubleWait
	defer logPanic(r.Log, zap.String("in", "the reconciler"))
	return r.take(ctx, most)
}

// take leases what is due, and returns how long there is nothing more to do.
func (r *Reconciler) take(ctx context.Context, most int) (due []ledger.Due, wait time.Duration) {
	if most == 0 {
		return nil, rescanInterval // a worker that is done wakes
	}
	ctx, cancel := context.WithTimeout(ctx, storeLimit)
	defer cancel()
	next, err := r.next(ctx)
	if err == nil {
		if idle := next.Sub(r.Now()); next.IsZero() || idle > 0 {
			if next.IsZero() || idle > rescanInterval {
				idle = rescanInterval
			}
			return nil, idle
		}
		due, err = r.Lease(ctx, most)
	}
	switch {
	case err != nil && ctx.Err() == nil:
		r.Log.Warn("the ledger cannot be read: open orders have to wait", zap.Error(err))
		return nil, troubleWait
	case err != nil:
		return nil, troubleWait
	case len(due) == 0: // what is due is not ours, or waits for the gateway
		return nil, time.Second
	default:
		return due, 0
	}
}

func (r *Reconciler) next(ctx context.Context) (time.Time, error) {
	return ledger.View(ctx, r.Ledger, func(tx *ledger.Tx) (time.Time, error) { return tx.NextDue(r.Now(), r.strangers) })
}

// Lease takes orders that are due, as far as the gateway's rate limit lets them be
// asked about now.
func (r *Reconciler) Lease(ctx context.Context, most int) ([]ledger.Due, error) {
	now := r.Now()
	leased, err := ledger.Update(ctx, r.Ledger, func(tx *ledger.Tx) (leased, error) { return r.lease(tx, now, most) })
	if err != nil {
		return nil, err
	}
	r.meet(leased.strange)
	return leased.ours, nil
}

// leased are orders that are due, of shops that are known here and of others.
type leased struct{ ours, strange []ledger.Due }

func (r *Reconciler) lease(tx *ledger.Tx, now time.Time, most int) (l leased, err error) {
	due, err := tx.LeaseDue(now, now.Add(leaseLimit), r.strangers, most)
	if err != nil {
		return l, err
	}
	slices.SortFunc(due, func(a, b ledger.Due) int { return cmp.Compare(a.Account, b.Account) }) // as all nodes count
	for _, d := range due {
		if r.Shops.Named(d.Shop) == nil {
			l.strange = append(l.strange, d)
			if err := tx.PutOff(d.Order, now); err != nil { // for those who know its shop
				return l, err
			}
			continue
		}
		// The enquiry is counted here, so that they do not all go at once.
		wait, err := tx.TakeCalls(d.Account, now, 1, callBurst, callInterval, false)
		if err != nil {
			return l, err
		}
		if wait > 0 {
			if err := tx.PutOff(d.Order, now.Add(wait)); err != nil {
				return l, err
			}
			continue
		}
		l.ours = append(l.ours, d)
	}
	return l, nil
}

// meet remembers shops that nobody here knows, whose orders are not leased again.
func (r *Reconciler) meet(strange []ledger.Due) {
	known := make(map[string]bool)
	for _, shop := range r.strangers {
		known[shop] = true
	}
	for _, d := range strange {
		if known[d.Shop] || len(r.strangers) >= mostUnknown {
			continue
		}
		known[d.Shop] = true
		r.strangers = append(r.strangers, d.Shop)
		r.Log.Warn("the ledger has open orders of a shop that no block of this configuration names: nothing here completes them",
			zap.String("shop", d.Shop))
	}
}

// attend looks at one open order. It always ends, within attendLimit.
func (r *Reconciler) attend(ctx context.Context, d ledger.Due) {
	defer logPanic(r.Log, zap.String("order", d.Order))
	ctx, cancel := context.WithTimeout(ctx, attendLimit)
	defer cancel()
	if err := r.Shops.Named(d.Shop).Follow(ctx, d.Order); err != nil && ctx.Err() == nil {
		r.Log.Debug("an open order could not be followed up: this is repeated later", zap.String("order", d.Order), zap.Error(err))
	}
}

// count has the observer learn how many orders are open.
func (r *Reconciler) count(ctx context.Context) {
	defer logPanic(r.Log, zap.String("in", "counting open orders"))
	ctx, cancel := context.WithTimeout(ctx, storeLimit)
	defer cancel()
	open, err := ledger.View(ctx, r.Ledger, func(tx *ledger.Tx) (map[string]int, error) {
		open, _, err := tx.OpenOrders(time.Time{})
		return open, err
	})
	if err == nil {
		r.Observer.Open(open)
	}
}

// Follow does what is due about an order, and sets when it is looked at next.
func (s *Service) Follow(ctx context.Context, id string) error {
	o, err := s.Find(ctx, id)
	if err != nil {
		return err
	}
	switch {
	case o.Status != ledger.StatusPending:
		err = s.followRefunds(ctx, o, false)
	case s.Now().Before(s.deadline(o)):
		_, err = s.enquire(ctx, o, 0)
	default:
		err = s.expire(ctx, o)
	}
	if ctx.Err() != nil { // we stop: it is free for others at once
		ctx = context.WithoutCancel(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, storeLimit)
	defer cancel()
	_, scheduleErr := s.settleAll(ctx, id, nil, nil)
	if err != nil {
		return err
	}
	return scheduleErr
}
