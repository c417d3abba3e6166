package orders_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/orders"
)

func TestANotificationFindsTheOrderInAnotherLedgerOfTheAccount(t *testing.T) {
	a := openAccount(t)
	peaks := a.openShop("peaks")
	first := a.ledger
	opened, err := ledger.OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "other.db"), a.logger)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, opened.Close()) })
	a.ledger = opened
	shores := a.openShop("shores")
	o := a.prepare(shores)
	a.ledger = first
	_, err = peaks.Receive(t.Context(), notification(o, nil))
	require.NoError(t, err)
	assert.Equal(t, ledger.StatusPaid, a.find(shores, o.ID).Status)
	assert.Equal(t, []string{"order.paid shores"}, a.heard(), "and it is no orphan")
}

func TestANotificationOfAnOrderWhoseShopNoBlockNamesIsNotAcknowledged(t *testing.T) {
	a := openAccount(t)
	peaks := a.openShop("peaks")
	o := a.prepare(peaks)
	a.shops = orders.NewShops() // the block is gone
	shores := a.openShop("shores")
	_, err := shores.Receive(t.Context(), notification(o, nil))
	require.ErrorContains(t, err, "no block of this configuration names")
	assert.Equal(t, ledger.StatusPending, a.find(peaks, o.ID).Status)
	assert.Empty(t, a.outbox(o.ID))
	a.shops = orders.NewShops()
	peaks = a.openShop("peaks") // and comes back
	_, err = peaks.Receive(t.Context(), notification(o, nil))
	require.NoError(t, err)
	assert.Equal(t, []string{"order.paid hook-of-peaks"}, a.outbox(o.ID))
}
