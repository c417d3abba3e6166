package cluster

import (
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/postgrestest"
)

// The simulator of the example is part of the Caddy that it asks for, and of
// this one.
func TestThePostgreSQLExampleSells(t *testing.T) {
	text, err := os.ReadFile("../examples/postgres.caddyfile")
	require.NoError(t, err)
	n := newNode(t, "of the example")
	n.ledger = postgrestest.Start(t).URL()
	t.Setenv("QFPAY_LEDGER_URL", n.ledger)
	gateway := freeAddress(t)
	n.configure(strings.NewReplacer(
		"default_bind 127.0.0.1", "admin "+n.admin+"\n\tpersist_config off", "demo-data", t.TempDir(),
		"localhost:8080, http://127.0.0.1:8080", n.address, "localhost:8090, http://127.0.0.1:8090", gateway,
		"localhost:8080", n.address, "localhost:8090", gateway, "examples/shop", "../examples/shop",
		"qfpay_simulator {", "qfpay_simulator {\n\t\tstrict",
	).Replace(string(text)))
	n.start()

	payer := (&cluster{t: t}).payer()
	callback, order := payer.open(t, anyNode, "http://"+n.address+catFood)
	wallet := payer.get(anyNode, callback)
	requirePayPage(t, wallet)
	back := payer.press(wallet.location, "pay")
	require.Equal(t, http.StatusSeeOther, back.status, back.body)
	eventually(t, "the order is paid", func() bool {
		return strings.Contains(payer.get(anyNode, "http://"+n.address+"/pay/status/"+order).body, `"paid"`)
	})
}
