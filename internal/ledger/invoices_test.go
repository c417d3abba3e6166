package ledger

import (
	"context"
	"strings"
	"testing"

	"github.com/caddyserver/certmagic"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// prefixStorage lists whatever begins with a text, as storages do that are no
// trees, such as Consul, DynamoDB and S3.
type prefixStorage struct{ certmagic.Storage }

func (s prefixStorage) List(ctx context.Context, prefix string, _ bool) (found []string, err error) {
	keys, err := s.Storage.List(ctx, "qfpay_jsapi", true)
	for _, key := range keys {
		if strings.HasPrefix(key, prefix) {
			found = append(found, key)
		}
	}
	return found, err
}

func TestOrdersOfOneInvoiceAreNotThoseOfAnother(t *testing.T) {
	l := New(prefixStorage{&certmagic.FileStorage{Path: t.TempDir()}}, "shop")
	require.NoError(t, l.ClaimInvoice(t.Context(), "INV-10", order))
	orders, err := l.InvoiceOrders(t.Context(), "INV-1")
	require.NoError(t, err)
	assert.Empty(t, orders)
	orders, err = l.InvoiceOrders(t.Context(), "INV-10")
	require.NoError(t, err)
	assert.Equal(t, []string{order}, orders)
}
