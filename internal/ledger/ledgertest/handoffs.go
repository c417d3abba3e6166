package ledgertest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

func handoffs(t *testing.T, f fixture) {
	read := func(shop, order string) (sealed string, err error) {
		return ledger.View(t.Context(), f.second, func(tx *ledger.Tx) (string, error) { return tx.Handoff(shop, order) })
	}
	orders := make([]string, 3)
	for i := range orders {
		orders[i] = newOrder(start).ID
		update(t, f.first, func(tx *ledger.Tx) error {
			return tx.AddHandoff("shop", orders[i], "sealed "+orders[i], start.Add(time.Duration(i)*time.Hour))
		})
	}
	update(t, f.second, func(tx *ledger.Tx) error { return tx.AddHandoff("shop", orders[0], "something else", start) })
	sealed, err := read("shop", orders[0])
	require.NoError(t, err)
	assert.Equal(t, "sealed "+orders[0], sealed, "the first one stays")
	_, err = read("another shop", orders[0])
	require.ErrorIs(t, err, ledger.ErrUnknown)
	_, err = read("shop", newOrder(start).ID)
	require.ErrorIs(t, err, ledger.ErrUnknown)

	erase := func(before time.Time, limit int) (erased int64) {
		t.Helper()
		update(t, f.first, func(tx *ledger.Tx) (err error) {
			erased, err = tx.EraseHandoffs(before, limit)
			return err
		})
		return erased
	}
	old := func(before time.Time) bool {
		found, err := ledger.View(t.Context(), f.second, func(tx *ledger.Tx) (bool, error) { return tx.HasOldHandoffs(before) })
		require.NoError(t, err)
		return found
	}
	assert.False(t, old(start), "what expires then has not expired before")
	assert.Zero(t, erase(start, 10))
	assert.True(t, old(start.Add(time.Microsecond)))
	assert.EqualValues(t, 1, erase(start.Add(3*time.Hour), 1), "the oldest first")
	_, err = read("shop", orders[0])
	require.ErrorIs(t, err, ledger.ErrUnknown)
	_, err = read("shop", orders[1])
	require.NoError(t, err)
	assert.EqualValues(t, 2, erase(start.Add(3*time.Hour), 10))
	assert.False(t, old(start.Add(3*time.Hour)))
}
