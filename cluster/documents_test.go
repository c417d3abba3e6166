package cluster

import (
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The simulator of the example is part of the Caddy that it asks for, and of
// this one.
func TestTheRedisExampleSells(t *testing.T) {
	text, err := os.ReadFile("../examples/redis.caddyfile")
	require.NoError(t, err)
	redis, n := startRedis(t), newNode(t, "of the example", http.NotFoundHandler())
	simulator := freeAddress(t)
	n.configure(strings.NewReplacer(
		"admin off", "admin "+n.admin+"\n\tpersist_config off",
		"localhost:6379", redis.address, "localhost:8080", n.address, "localhost:8090", simulator, "examples/shop", "../examples/shop",
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

func TestTheRedisStorageOfTheDocumentsIsUnderstood(t *testing.T) {
	document, err := os.ReadFile("../docs/operating.md")
	require.NoError(t, err)
	block := regexp.MustCompile("(?s)```caddyfile redis\n(.*?)```").FindSubmatch(document)
	require.NotNil(t, block)
	config, warnings, err := caddyconfig.GetAdapter("caddyfile").Adapt(block[1], map[string]any{"filename": "Caddyfile"})
	require.NoError(t, err)
	assert.Empty(t, warnings)
	assert.Contains(t, string(config), `"module":"redis"`)
}
