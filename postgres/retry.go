package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

const (
	// patience is how long a step is done again while the server is away, such
	// as when it restarts.
	patience = 10 * time.Second

	// maxConflicts is how often a step is done again because another one was in
	// its way.
	maxConflicts = 10

	shortestWait = 10 * time.Millisecond
	longestWait  = 500 * time.Millisecond // for the server
	conflictWait = 40 * time.Millisecond  // the longest for another step
)

// verdict says whether a step that failed is done again, whole.
type verdict int

const (
	final    verdict = iota // it is not
	conflict                // another step was in its way
	lost                    // its connection is gone; another one may be there at once
	away                    // the server takes no connections just now
)

// insist does an attempt until it succeeds or fails for good. The wait for the
// server is bounded by patience, and everything by the context.
func (e *engine) insist(ctx context.Context, attempt func(context.Context) (verdict, error)) error {
	start, wait := time.Now(), shortestWait
	conflicts, losses := 0, 0
	for {
		after, err := attempt(ctx)
		if err == nil || after == final {
			return err
		}
		if ended := ctx.Err(); ended != nil {
			return errors.Join(ended, err)
		}
		switch after {
		case conflict:
			if conflicts++; conflicts > maxConflicts {
				return err
			}
		case lost:
			// After a restart, every connection of the pool is dead; none of
			// them is worth a wait.
			if losses++; losses <= maxConnections {
				continue
			}
		}
		if after != conflict && time.Since(start) > patience {
			return err
		}
		if pause(ctx, wait/2+rand.N(wait/2)) != nil {
			return errors.Join(ctx.Err(), err)
		}
		wait = min(2*wait, longest(after))
	}
}

func longest(after verdict) time.Duration {
	if after == conflict {
		return conflictWait
	}
	return longestWait
}

func pause(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// judge says what an error means, as long as nothing was committed.
func judge(err error) verdict {
	var refusal *pgconn.PgError
	if errors.As(err, &refusal) {
		return judgeRefusal(refusal.Code)
	}
	var unreachable *pgconn.ConnectError
	if errors.As(err, &unreachable) {
		return away
	}
	for _, gone := range []error{driver.ErrBadConn, sql.ErrConnDone, pgconn.ErrConnClosed, io.EOF, io.ErrUnexpectedEOF} {
		if errors.Is(err, gone) {
			return lost
		}
	}
	var network net.Error
	if errors.As(err, &network) || pgconn.SafeToRetry(err) {
		return lost
	}
	return final
}

func judgeRefusal(code string) verdict {
	switch code {
	case "40001", "40P01": // serialization_failure, deadlock_detected
		return conflict
	case "23505":
		// unique_violation: a step looks before it writes, so another one wrote
		// in between; the next time, it sees what is there.
		return conflict
	case "57P01", "57P02", "57P05": // admin_shutdown, crash_shutdown, idle_session_timeout
		return lost
	case "57P03", "53300": // cannot_connect_now, too_many_connections
		return away
	}
	if strings.HasPrefix(code, "08") { // connection exceptions, poolers' too
		return away
	}
	return final
}
