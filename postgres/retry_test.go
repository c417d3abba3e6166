package postgres

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/assert"
)

func TestWhatAnErrorMeansForAStep(t *testing.T) {
	refusal := func(code string) error {
		return fmt.Errorf("reading order: %w", &pgconn.PgError{Code: code})
	}
	for _, c := range []struct {
		err  error
		want verdict
	}{
		{refusal("40001"), conflict},
		{refusal("40P01"), conflict},
		{refusal("23505"), conflict},
		{refusal("57P01"), lost},
		{refusal("57P03"), away},
		{refusal("53300"), away},
		{refusal("08006"), away},
		{refusal("53100"), final}, // disk_full
		{refusal("28P01"), final},
		{refusal("42P01"), final},
		{&pgconn.ConnectError{}, away},
		{driver.ErrBadConn, lost},
		{fmt.Errorf("reading order: %w", io.ErrUnexpectedEOF), lost},
		{errors.New("sold out"), final},
	} {
		assert.Equal(t, c.want, judge(c.err), "%v", c.err)
	}
}

func TestAServerThatStaysAwayIsNotWaitedForWithoutEnd(t *testing.T) {
	gone := errors.New("gone")
	for _, after := range []verdict{conflict, lost, away} {
		synctest.Test(t, func(t *testing.T) {
			start, attempts := time.Now(), 0
			err := new(engine).insist(t.Context(), func(context.Context) (verdict, error) {
				attempts++
				return after, gone
			})
			assert.ErrorIs(t, err, gone)
			assert.Less(t, time.Since(start), patience+2*longestWait)
			assert.Greater(t, attempts, maxConflicts)
			assert.Less(t, attempts, 100)
		})
	}
}

func TestAContextThatEndsEndsTheRepetitions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start, gone := time.Now(), errors.New("gone")
		err := new(engine).insist(ctx, func(context.Context) (verdict, error) { return away, gone })
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		assert.ErrorIs(t, err, gone)
		assert.Equal(t, time.Second, time.Since(start))
	})
}
