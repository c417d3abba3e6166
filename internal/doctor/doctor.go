// Package doctor checks what goes wrong in practice with a shop, and says in a
// sentence what to do about it. It knows the gateway, WeChat, the ledger,
// webhooks and the mail server through what a [Shop] gives it. It must not know how a
// shop is configured, and it changes nothing: a row that it writes, it deletes.
package doctor

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// Finding is what the doctor found of one thing.
type Finding struct {
	Shop   string `json:"shop"` // the title of the block
	Check  string `json:"check"`
	Status string `json:"status"` // good, warning or bad
	Found  string `json:"found"`
	Advice string `json:"advice,omitempty"`
}

// Report is all that the doctor found.
type Report struct {
	Findings []Finding `json:"findings"`
}

// HasBad reports whether something is wrong.
func (r Report) HasBad() bool {
	return slices.ContainsFunc(r.Findings, func(found Finding) bool { return found.Status == "bad" })
}

func good(found string, args ...any) Finding {
	return Finding{Status: "good", Found: fmt.Sprintf(found, args...)}
}

func warning(advice, found string, args ...any) Finding {
	return Finding{Status: "warning", Found: fmt.Sprintf(found, args...), Advice: advice}
}

func bad(advice, found string, args ...any) Finding {
	return Finding{Status: "bad", Found: fmt.Sprintf(found, args...), Advice: advice}
}

// check is one thing that the doctor looks at.
type check struct {
	name string
	look func(Shop, context.Context) Finding
}

var (
	credentialsCheck = check{"credentials", Shop.checkCredentials}
	clockCheck       = check{"clock", Shop.checkClock}

	// ledgerCheck is made once for all shops of a ledger, before the others: each
	// would find it slow while it is busy with them.
	ledgerCheck = check{"ledger", Shop.checkLedger}
)

// checks are made of every shop, and reported in this order.
var checks = []check{
	credentialsCheck,
	{"official account", Shop.checkOfficialAccount},
	clockCheck,
	{"public URL", Shop.checkPublicURL},
	{"paths", Shop.checkPaths},
	{"notifications", Shop.checkNotifications},
	ledgerCheck,
	{"catalogue", Shop.checkCatalogue},
	{"stock", Shop.checkStock},
	{"webhooks", Shop.checkWebhooks},
	{"mail", Shop.checkMail},
	{"open orders", Shop.checkOpenOrders},
	{"shops", Shop.checkShops},
	{"orphans", Shop.checkOrphans},
}

const (
	// checkLimit bounds one check.
	checkLimit = 20 * time.Second

	// checksAtOnce bounds how many run at the same time.
	checksAtOnce = 8
)

// Examine makes all checks of all shops, several at once, and reports them in the
// order of the shops. A check that panics is a bad finding; the log has its stack.
func Examine(ctx context.Context, shops []Shop, log *zap.Logger) Report {
	findings := make([]Finding, len(shops)*len(checks))
	var all errgroup.Group
	all.SetLimit(checksAtOnce)
	ledgers := make(map[ledger.Ledger]Finding, len(shops))
	for _, shop := range shops {
		if _, known := ledgers[shop.Ledger]; !known {
			ledgers[shop.Ledger] = ledgerCheck.of(ctx, log, shop)
		}
	}
	for i, shop := range shops {
		for j, check := range checks {
			all.Go(func() error {
				found := ledgers[shop.Ledger]
				found.Shop = shop.Title
				if check.name != ledgerCheck.name {
					found = check.of(ctx, log, shop)
				}
				findings[i*len(checks)+j] = found
				return nil
			})
		}
	}
	_ = all.Wait() // no check returns an error
	return Report{findings}
}

// CheckAccount looks only at what the gateway thinks of the shop's account, and of
// this machine's clock, and returns what is not good.
func CheckAccount(ctx context.Context, shop Shop, log *zap.Logger) (problems []Finding) {
	for _, check := range []check{credentialsCheck, clockCheck} {
		if found := check.of(ctx, log, shop); found.Status != "good" {
			problems = append(problems, found)
		}
	}
	return problems
}

// of makes the check of a shop, within [checkLimit].
func (c check) of(ctx context.Context, log *zap.Logger, shop Shop) (found Finding) {
	defer func() {
		if panicked := recover(); panicked != nil {
			log.Error("panic", zap.String("in", "the doctor's work"), zap.Any("panic", panicked), zap.ByteString("stack", debug.Stack()))
			found = bad("Report the panic in Caddy's log: it is a bug in this program.", "the check failed")
		}
		found.Shop, found.Check = shop.Title, c.name
	}()
	ctx, cancel := context.WithTimeout(ctx, checkLimit)
	defer cancel()
	return c.look(shop, ctx)
}
