package orders_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

func TestABrowserThatLooksOnKeepsNoOrderFromItsEnd(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	prepared, claimed := a.prepare(s), a.claim(s)
	for range 16 * 60 {
		a.reconcile(time.Second)
		s.Refresh(t.Context(), a.find(s, prepared.ID))
		s.Refresh(t.Context(), a.find(s, claimed.ID))
	}
	assert.Equal(t, ledger.StatusClosed, a.find(s, prepared.ID).Status)
	assert.Equal(t, ledger.StatusClosed, a.find(s, claimed.ID).Status)
}
