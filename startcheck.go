package qfpayjsapi

import (
	"context"
	"crypto/sha256"
	"runtime/debug"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/doctor"
)

// A wrong client_key shows to nobody but a payer, on a page of the gateway's. So the
// gateway is asked once, when Caddy has started, whether it takes the account's
// signature, and what time it is; the log has what is wrong.

// accountChecks are the accounts that this process has asked about, with their keys.
var accountChecks = checkedAccounts{delay: 2 * time.Second}

// maxAccounts bounds how many accounts a process asks about.
const maxAccounts = 1000

type checkedAccounts struct {
	delay time.Duration // until what plays the gateway, in the same Caddy, has started; <0: nobody is asked

	mu   sync.Mutex
	seen map[[sha256.Size]byte]struct{}
}

// first reports whether an account was not asked about before.
func (c *checkedAccounts) first(account [sha256.Size]byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, again := c.seen[account]; again || len(c.seen) >= maxAccounts {
		return false
	}
	if c.seen == nil {
		c.seen = make(map[[sha256.Size]byte]struct{})
	}
	c.seen[account] = struct{}{}
	return true
}

// forget lets an account be asked about again, because its check was cut short.
func (c *checkedAccounts) forget(account [sha256.Size]byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.seen, account)
}

// checkAccounts asks about those of all blocks, one after the other, until ctx ends.
func (a *App) checkAccounts(ctx context.Context) {
	defer func() {
		if panicked := recover(); panicked != nil {
			a.logger.Error("panic", zap.String("in", "the check at the start"), zap.Any("panic", panicked), zap.ByteString("stack", debug.Stack()))
		}
	}()
	select {
	case <-ctx.Done():
		return
	case <-time.After(accountChecks.delay):
	}
	for _, h := range a.blocks {
		account := sha256.Sum256([]byte(h.account() + "\n" + h.MchID + "\n" + h.SignType + "\n" + string(h.ClientKey)))
		if !accountChecks.first(account) {
			continue
		}
		findings := doctor.CheckAccount(ctx, h.patient(), h.logger)
		if ctx.Err() != nil {
			accountChecks.forget(account)
			return
		}
		for _, found := range findings {
			tell := h.logger.Warn
			if found.Status == "bad" {
				tell = h.logger.Error
			}
			tell("the check at the start found a problem with the gateway; caddy qfpay-jsapi doctor repeats it",
				zap.String("check", found.Check), zap.String("found", found.Found), zap.String("advice", found.Advice))
		}
	}
}
