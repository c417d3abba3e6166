package qfpayjsapi

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	logged "go.uber.org/zap/zaptest/observer"
)

// The golden files have no file to look into.
func TestAVariableThatIsUnsetIsNamedWhereItsLineCanBeRead(t *testing.T) {
	t.Setenv("QFPAY_TEST_SET", "APPCODE")
	t.Setenv("QFPAY_TEST_EMPTY", "")
	const head = "shop.example.com {\n\tqfpay_jsapi {\n\t\tapp_code {$QFPAY_TEST_SET}\n\t\t"
	for line, want := range map[string]string{
		"client_key {$QFPAY_TEST_EMPTY}":                  "the variable {$QFPAY_TEST_EMPTY} is unset or empty",
		`client_key "{$QFPAY_TEST_UNSET}"`:                "the variable {$QFPAY_TEST_UNSET} is unset or empty",
		"client_key # {$QFPAY_TEST_UNSET}":                "client_key needs a value, at ",
		"webhook https://shop.example {$QFPAY_TEST_GONE}": "webhook needs a URL and a secret: the variable {$QFPAY_TEST_GONE} is unset or empty",
	} {
		file := filepath.Join(t.TempDir(), "Caddyfile")
		text := []byte(head + line + "\n\t}\n}\n")
		require.NoError(t, os.WriteFile(file, text, 0o600))
		_, _, err := caddyconfig.GetAdapter("caddyfile").Adapt(text, map[string]any{"filename": file})
		require.ErrorContains(t, err, want, line)
		assert.ErrorContains(t, err, file+":4", line)
	}
}

func TestAMistakeThatShowsOnlyWhenLoadedIsSetOffAndNamesItsBlock(t *testing.T) {
	_, err := provision(t, map[string]any{"client_key": "{env.QFPAY_TEST_UNSET}"})
	require.ErrorContains(t, err, "\n\nqfpay_jsapi: client_key: ")
	assert.ErrorContains(t, err, "QFPAY_TEST_UNSET")
	assert.ErrorContains(t, err, "\n(the qfpay_jsapi block of \"Harbour Pets\" with the path \"/pay\")")

	_, err = provision(t, map[string]any{"client_key": "{QFPAY_KEY}"})
	assert.ErrorContains(t, err, "environment variables are written {env.NAME}")
}

func TestAMistakeThatShowsOnlyWhenLoadedHasALogLineOfItsOwn(t *testing.T) {
	seen, logs := logged.New(zap.ErrorLevel)
	mistake := fieldError{"client_key", errors.New("required, but missing")}
	once := setOff(mistake, "the block", zap.New(seen))
	assert.Equal(t, once, setOff(once, "another block", zap.New(seen)))
	assert.NoError(t, setOff(nil, "", zap.New(seen)))
	require.Equal(t, 1, logs.Len())
	assert.Equal(t, "qfpay_jsapi: client_key: required, but missing", logs.All()[0].Message)
	assert.Equal(t, "the block", logs.All()[0].ContextMap()["block"])
}

func TestAShellsVariableIsNotTakenForASecret(t *testing.T) {
	for value, want := range map[string]string{
		"$QFPAY_KEY": "looks like a shell's variable", "%QFPAY_KEY%": "looks like a shell's variable",
		"${QFPAY_KEY}": "environment variables are written {env.NAME}",
	} {
		for _, field := range []string{"app_code", "client_key", "mchid", "invoice_key"} {
			_, err := provision(t, map[string]any{field: value})
			require.ErrorContains(t, err, field+": ", value)
			require.ErrorContains(t, err, want, value)
			if value == "${QFPAY_KEY}" {
				continue // Caddy names placeholders
			}
			assert.NotContains(t, err.Error(), "QFPAY_KEY", "it may be a secret after all")
		}
	}
	h, err := provision(t, map[string]any{"merchant_name": "$Dollar"})
	require.NoError(t, err)
	assert.Equal(t, "$Dollar", h.MerchantName, "a name may look like anything")
}
