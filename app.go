package qfpayjsapi

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/webhook"
)

func init() {
	caddy.RegisterModule(new(App))
}

// App finishes what payers leave behind: it asks the gateway about open orders,
// ends those whose time is over, follows refunds to their end, and tells the
// shop's webhooks. It needs no configuration of its own; every `qfpay_jsapi`
// handler registers with it. Of several machines with one storage, one works at a
// time for each ledger.
type App struct {
	logger *zap.Logger
	clerks map[string]*clerk // by ledger
	shops  []*Handler        // that registered
	desks  []*Orders         // pages that show their orders
	now    func() time.Time

	cancel context.CancelFunc
	work   sync.WaitGroup
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
	a.logger = ctx.Logger()
	a.clerks = make(map[string]*clerk)
	a.now = time.Now
	return nil
}

// owner is what handlers with the same ledger must have in common.
type owner struct{ appCode, mchID, gateway, storage string }

// employ has the app look after the books of a handler. Handlers with the same
// ledger must have the same account at the same gateway, and the same storage;
// each may bring webhooks of its own.
func (a *App) employ(shop *Handler, endpoints []*webhook.Endpoint) error {
	keeper, ok := a.clerks[shop.Name]
	if !ok {
		keeper = &clerk{books: shop.books, owner: shop.owner, logger: a.logger}
		a.clerks[shop.Name] = keeper
	}
	if keeper.owner != shop.owner {
		return fieldError{"name", fmt.Errorf("the ledger %s belongs to another account, gateway or storage already; give this one another name", shop.Name)}
	}
	// The time that one gives its payers, the work for another must not cut short.
	keeper.orderTTL, keeper.timeout = max(keeper.orderTTL, shop.orderTTL), max(keeper.timeout, shop.timeout)
	keeper.addEndpoints(endpoints)
	a.shops = append(a.shops, shop)
	return nil
}

// Start implements caddy.App.
func (a *App) Start() error {
	if err := a.checkLedgers(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	a.cancel = cancel
	for _, keeper := range a.clerks {
		a.work.Go(func() {
			defer a.recover("the work on open orders")
			keeper.run(ctx)
		})
	}
	return nil
}

// Stop implements caddy.App. It returns when nothing of the app runs any more.
func (a *App) Stop() error {
	if a.cancel != nil {
		a.cancel()
	}
	a.work.Wait()
	for _, keeper := range a.clerks {
		keeper.closeIdle()
	}
	return nil
}

func (a *App) recover(work string) {
	if panicked := recover(); panicked != nil {
		a.logger.Error("panic", zap.String("in", work), zap.Any("panic", panicked), zap.ByteString("stack", debug.Stack()))
	}
}

// Interface guards
var (
	_ caddy.App         = (*App)(nil)
	_ caddy.Provisioner = (*App)(nil)
)
