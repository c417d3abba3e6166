package qfpayjsapi

import (
	"cmp"
	"errors"
	"fmt"

	"go.uber.org/zap"
)

// loadError is what keeps a configuration from being loaded. Caddy puts the names of
// all modules on the way in front of it, so it begins on a line of its own, and says
// which block it is about, because its line in the Caddyfile is not known any more.
type loadError struct {
	block string // "" if it is about no block
	err   error
}

func (e loadError) Error() string {
	if e.block == "" {
		return "\n\n" + e.err.Error()
	}
	return "\n\n" + e.err.Error() + "\n(" + e.block + ")"
}

func (e loadError) Unwrap() error { return e.err }

// setOff makes a loadError of an error, once, and has the log say it on a line of its
// own, because Caddy's own line shows no line breaks in JSON.
func setOff(err error, block string, log *zap.Logger) error {
	if _, already := errors.AsType[loadError](err); err == nil || already {
		return err
	}
	log.Error(err.Error(), zap.String("block", block))
	return loadError{block, err}
}

// title tells a block from others where there is no line to name.
func (h *Handler) title() string {
	return fmt.Sprintf("the qfpay_jsapi block of %q with the path %q", h.MerchantName, cmp.Or(h.Path, defaultPath))
}
