package redact

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

type account struct {
	Name string
	Key  Secret `json:"-"`
}

// client has what uses a secret, rather than the secret.
type client struct{ key func() Secret }

func TestASecretIsNeitherPrintedNorLogged(t *testing.T) {
	key := Secret("SENTINEL")
	owner := account{"shop", key}
	opened := client{func() Secret { return key }}
	for _, value := range []any{
		key, &key, owner, &owner, []Secret{key}, map[string]Secret{"key": key}, map[Secret]int{key: 1}, []any{key, owner},
		opened, &opened, struct{ c client }{opened},
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%X", "%t", "%20v", "%T"} {
			assertHidden(t, fmt.Sprintf(verb, value))
		}
		assertHidden(t, fmt.Sprint(value))
		assertHidden(t, fmt.Sprintln("key", value))
		var logged bytes.Buffer
		slog.New(slog.NewTextHandler(&logged, nil)).Info("text", "value", value)
		assertHidden(t, logged.String())
	}
	for _, value := range []any{key, owner, &owner, opened} {
		var logged bytes.Buffer
		slog.New(slog.NewJSONHandler(&logged, nil)).Info("json", "value", value)
		zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.AddSync(&logged), zap.InfoLevel)).
			Info("zap", zap.Any("value", value))
		assertHidden(t, logged.String())
	}
}

func assertHidden(t *testing.T, text string) {
	t.Helper()
	assert.NotContains(t, text, "SENTINEL")
	assert.NotContains(t, text, fmt.Sprintf("%x", "SENTINEL"))
	assert.NotContains(t, text, fmt.Sprintf("%X", "SENTINEL"))
}

func TestJSONKeepsASecretAsItIsInConfigurations(t *testing.T) {
	var read struct{ Key Secret }
	require.NoError(t, json.Unmarshal([]byte(`{"Key":"{env.KEY}"}`), &read))
	assert.Equal(t, "{env.KEY}", string(read.Key))
	written, err := json.Marshal(read)
	require.NoError(t, err)
	assert.JSONEq(t, `{"Key":"{env.KEY}"}`, string(written))
}
