package cluster

import (
	"os"
	"regexp"
	"testing"

	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

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
