package ledger

import (
	"context"
	"errors"
	"sync"

	"go.uber.org/zap"
)

// ErrOutcomeUnknown says that the connection to the database broke while a step
// was being committed: all of it may be durable, or nothing. Whoever asked for
// the step may do it again, because steps look at what is there first; an engine
// does not.
var ErrOutcomeUnknown = errors.New("the connection to the ledger broke while it was writing: what was to be written may be there or not")

// Open opens the ledger at an address that only its engine understands, and
// brings its schema up to date. The error is a sentence for whoever runs the
// program, and holds no password. The logger is for what the engine has to say
// while it works.
type Open func(ctx context.Context, address string, log *zap.Logger) (Ledger, error)

var engines sync.Map // of Open, by name

func init() {
	RegisterEngine("sqlite", func(ctx context.Context, file string, log *zap.Logger) (Ledger, error) {
		opened, err := OpenSQLite(ctx, file, log)
		if err != nil {
			return nil, err
		}
		return opened, nil
	})
}

// RegisterEngine makes an engine known, which a build may have or not, in the
// place of another of its name. It is called when a package is initialized.
func RegisterEngine(name string, open Open) { engines.Store(name, open) }

// EngineNamed returns the engine of a name; false if this build has none.
func EngineNamed(name string) (Open, bool) {
	open, found := engines.Load(name)
	if !found {
		return nil, false
	}
	return open.(Open), true
}
