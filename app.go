package qfpayjsapi

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/orders"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/outbox"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/webhook"
)

func init() {
	caddy.RegisterModule(new(App))
}

// App finishes what payers leave behind: it asks the gateway about open orders,
// ends those whose time is over, follows refunds to their end, tells the shops'
// webhooks, and every night compares the day before with the gateway's own list of
// trades. It needs no configuration of its own; every `qfpay_jsapi` handler
// registers with it. Of several machines with one ledger, every one works.
type App struct {
	ctx      caddy.Context
	logger   *zap.Logger
	observer *observer
	services *orders.Shops
	shops    map[string][]*Handler // the blocks of each shop
	blocks   []*Handler            // all, of whatever shop
	works    []*ledgerWork         // one for each ledger
	pages    []*Orders             // pages that show their orders
	now      func() time.Time

	cancel  context.CancelFunc
	running sync.WaitGroup
}

// ledgerWork is what works on one ledger, for all shops in it.
type ledgerWork struct {
	ledger     *ledgerHandle
	shops      []string
	receivers  map[ledger.Destination]outbox.Receiver
	reconciler *orders.Reconciler
	comparer   *orders.Comparer
	outbox     *outbox.Outbox
}

// CaddyModule returns the Caddy module information.
func (*App) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "qfpay_jsapi",
		New: func() caddy.Module { return new(App) },
	}
}

// Provision implements caddy.Provisioner.
func (a *App) Provision(ctx caddy.Context) error {
	a.ctx, a.logger = ctx, ctx.Logger()
	a.shops = make(map[string][]*Handler)
	a.now = time.Now
	a.observer = &observer{ctx: ctx}
	a.services = orders.NewShops()
	a.services.Wake, a.services.Due = a.wakeOutbox, a.wakeReconciler
	return registerMetrics(ctx)
}

// addBlock has the app look after the shop of a block, and returns the shop's
// order service. Blocks with one name are one shop.
func (a *App) addBlock(h *Handler, endpoints []*webhook.Endpoint) (*orders.Service, error) {
	others := a.shops[h.Name]
	if err := h.mustAgreeOnStock(others); err != nil {
		return nil, err
	}
	a.blocks, a.shops[h.Name] = append(a.blocks, h), append(others, h)
	if len(others) > 0 {
		if err := h.mustAgree(others[0].identity()); err != nil {
			return nil, err
		}
		service := others[0].orders
		service.Timeout = max(service.Timeout, time.Duration(h.Timeout))
		return service, nil
	}
	work := a.workOf(h.ledger)
	work.shops = append(work.shops, h.Name)
	ids := make([]string, len(endpoints))
	for i, endpoint := range endpoints {
		ids[i] = endpoint.ID()
		work.receivers[ledger.Destination{Shop: h.Name, Endpoint: endpoint.ID()}] = outbox.Webhook(endpoint)
	}
	var mail orders.Mail // nil without a mailer, as a nil one in it would not be
	if h.mailer != nil {
		mail = h.mailer
		for _, endpoint := range h.mailer.Endpoints() {
			work.receivers[ledger.Destination{Shop: h.Name, Endpoint: endpoint.ID()}] = outbox.Mail(endpoint)
		}
	}
	return orders.New(orders.Config{
		Shop: h.Name, Account: h.account(), Ledger: h.ledger, Client: h.client, Timeout: time.Duration(h.Timeout), KeepFields: time.Duration(h.KeepFields),
		Endpoints: ids, Mail: mail, Shops: a.services, Observer: a.observer, Log: h.logger, Now: h.now,
	}), nil
}

func (a *App) workOf(handle *ledgerHandle) *ledgerWork {
	for _, work := range a.works {
		if work.ledger == handle {
			return work
		}
	}
	work := &ledgerWork{ledger: handle, receivers: make(map[ledger.Destination]outbox.Receiver)}
	work.reconciler = orders.NewReconciler(handle, a.services, a.observer, a.logger, a.now)
	work.comparer = &orders.Comparer{Ledger: handle, Shops: a.services, Log: a.logger, Now: a.now, Compared: a.observer.Compared}
	work.outbox = outbox.New(outbox.Config{Ledger: handle, Observer: a.observer, Log: a.logger, Now: a.now, GaveUp: a.services.TellGivenUp})
	a.works = append(a.works, work)
	return work
}

// Start implements caddy.App. It opens the ledgers: one that cannot be opened
// fails the load.
func (a *App) Start() error { return setOff(a.start(), "", a.logger) }

func (a *App) start() error {
	if err := a.checkPages(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	a.cancel = cancel
	for _, work := range a.works {
		if err := a.open(ctx, work); err != nil {
			cancel()
			return err
		}
	}
	a.showZeros()
	for _, work := range a.works {
		a.running.Go(func() { work.reconciler.Run(ctx) })
		a.running.Go(func() { work.comparer.Run(ctx) })
		a.running.Go(func() { work.outbox.Run(ctx) })
	}
	if accountChecks.delay >= 0 {
		a.running.Go(func() { a.checkAccounts(ctx) })
	}
	return nil
}

func (a *App) open(ctx context.Context, work *ledgerWork) error {
	work.outbox.SetEndpoints(work.receivers)
	if err := work.ledger.Open(ctx); err != nil {
		return fieldError{"ledger", err}
	}
	if err := a.warnOfLost(ctx, work); err != nil { // a database that is busy must not hinder a reload
		a.logger.Warn("the ledger could not be asked whether orders or events wait for what this configuration does not name", zap.Error(err))
	}
	return nil
}

// lookLimit bounds how long a look into the ledger takes.
const lookLimit = 10 * time.Second

// warnOfLost says which shops with something left to do no block names, and which
// events wait for a webhook or an address that is not named any more, as after it was
// corrected: nobody completes or sends them.
func (a *App) warnOfLost(ctx context.Context, work *ledgerWork) error {
	ctx, cancel := context.WithTimeout(ctx, lookLimit) // for both looks: a load waits for them
	defer cancel()
	lost, err := a.lostShops(ctx, work)
	if err != nil {
		return err
	}
	for _, shop := range lost {
		a.logger.Warn("the ledger has open orders of a shop that no block of this configuration names: nothing here completes them",
			zap.String("shop", shop), zap.Stringer("ledger", work.ledger))
	}
	waiting, err := ledger.View(ctx, work.ledger, (*ledger.Tx).WaitingDeliveries)
	if err != nil {
		return fmt.Errorf("%v: %w", work.ledger, err)
	}
	for to, events := range waiting {
		if _, named := work.receivers[to]; !named && a.keeps(work, to.Shop) {
			a.logger.Warn("events are waiting for a webhook or a mail address that the shop's block no longer names: to deliver them, put the old one back until they are sent",
				zap.String("shop", to.Shop), zap.String("endpoint", to.Endpoint), zap.Int("events", events))
		}
	}
	return nil
}

// lostShops are those with which something is left to do in a ledger, and which no
// block names.
func (a *App) lostShops(ctx context.Context, work *ledgerWork) (lost []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, lookLimit)
	defer cancel()
	open, err := ledger.View(ctx, work.ledger, (*ledger.Tx).OpenShops)
	if err != nil {
		return nil, fmt.Errorf("%v: %w", work.ledger, err)
	}
	return slices.DeleteFunc(open, func(shop string) bool { return a.keeps(work, shop) }), nil
}

// keeps reports whether a shop's blocks name a ledger.
func (a *App) keeps(work *ledgerWork, shop string) bool {
	blocks := a.shops[shop]
	return len(blocks) > 0 && blocks[0].ledger == work.ledger
}

// Stop implements caddy.App. It returns when nothing of the app runs any more.
func (a *App) Stop() error {
	if a.cancel != nil {
		a.cancel()
	}
	a.running.Wait()
	return nil
}

func (a *App) wakeOutbox(of ledger.Ledger) {
	for _, work := range a.works {
		if work.ledger == of {
			work.outbox.Wake()
		}
	}
}

func (a *App) wakeReconciler(of ledger.Ledger) {
	for _, work := range a.works {
		if work.ledger == of {
			work.reconciler.Wake()
		}
	}
}

// shopNames returns the names of all shops, or the one that is named, in their
// order; none if there is no such shop.
func (a *App) shopNames(name string) (names []string) {
	for shop := range a.shops {
		if name == "" || name == shop {
			names = append(names, shop)
		}
	}
	slices.Sort(names)
	return names
}

// service is the order service of a shop; nil if there is none of this name.
func (a *App) service(shop string) *orders.Service { return a.services.Named(shop) }

// Interface guards
var (
	_ caddy.App         = (*App)(nil)
	_ caddy.Provisioner = (*App)(nil)
)
