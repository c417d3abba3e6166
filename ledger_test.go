package qfpayjsapi

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/redact"
)

// loadEngine loads a ledger's module from JSON as Caddy does.
func loadEngine(t *testing.T, config string) (ledgerEngine, error) {
	t.Helper()
	h := &Handler{}
	if config != "" {
		h.LedgerRaw = json.RawMessage(config)
	}
	ctx, cancel := caddy.NewContext(caddy.Context{Context: context.Background()})
	t.Cleanup(cancel)
	return h.ledgerEngine(ctx)
}

func TestTheDefaultLedgerIsAFileInCaddysDataFolder(t *testing.T) {
	t.Setenv("XDG_DATA_HOME", "/var/lib/data")
	for _, config := range []string{"", `{"engine": "sqlite"}`} {
		engine, err := loadEngine(t, config)
		require.NoError(t, err)
		assert.Equal(t, filepath.FromSlash("SQLite /var/lib/data/caddy/qfpay_jsapi/ledger.db"), engine.String())
	}
}

func TestTheSameFileIsTheSameLedgerHoweverItIsWritten(t *testing.T) {
	folder, err := os.Getwd()
	require.NoError(t, err)
	t.Setenv("TEST_FILE", "ledger.db")
	want, err := loadEngine(t, `{"engine": "sqlite", "file": "`+filepath.ToSlash(folder)+`/ledger.db"}`)
	require.NoError(t, err)
	for _, file := range []string{"ledger.db", "./x/../ledger.db", "{env.TEST_FILE}"} {
		engine, err := loadEngine(t, `{"engine": "sqlite", "file": "`+file+`"}`)
		require.NoError(t, err)
		assert.Equal(t, ledgerKey(want), ledgerKey(engine), file)
	}
}

func TestAnInvalidLedgerSettingIsRefused(t *testing.T) {
	for config, reason := range map[string]string{
		`{}`:                                  "engine",
		`{"engine": "mysql"}`:                 "qfpay_jsapi.ledger.mysql",
		`{"engine": "sqlite", "folder": "x"}`: `unknown field "folder"`,
		`{"engine": "sqlite", "file": "{env.TEST_UNSET_VARIABLE}"}`:                      "file: ",
		`{"engine": "postgres"}`:                                                         "url: not a URL such as postgres://",
		`{"engine": "postgres", "url": "{env.TEST_UNSET_VARIABLE}"}`:                     "url: ",
		`{"engine": "postgres", "url": "mysql://shop:sentinel@db.example/ledger"}`:       "url: not a URL",
		`{"engine": "postgres", "url": "postgres://shop:senti/nel@db.example/ledger"}`:   "url: not a URL",
		`{"engine": "postgres", "url": "postgres://shop:12/sentinel@db.example/ledger"}`: "url: not a URL",
		`{"engine": "postgres", "url": "postgres://shop:12?sentinel@db.example/ledger"}`: "url: not a URL",
		`{"engine": "postgres", "url": "postgres://shop:%zzsentinel@db.example/ledger"}`: "url: not a URL",
	} {
		_, err := loadEngine(t, config)
		require.ErrorContains(t, err, reason, config)
		assert.NotContains(t, err.Error(), "nel@")
		assert.NotContains(t, err.Error(), "sentinel")
	}
}

func TestABuildWithoutPostgreSQLSaysHowToGetIt(t *testing.T) {
	_, err := loadEngine(t, `{"engine": "postgres", "url": "postgres://db.example/ledger"}`)
	assert.ErrorContains(t, err, "this build does not include PostgreSQL: build it with --with github.com/caddy-qfpay/qfpay-jsapi/postgres")
}

func TestALedgerIsNamedWithoutItsPassword(t *testing.T) {
	for url, name := range map[string]string{
		"postgres://shop:sentinel@db.example:5432/ledger":           "PostgreSQL db.example:5432/ledger",
		"postgresql://shop@db.example/ledger?password=sentinel":     "PostgreSQL db.example/ledger",
		"postgres:///ledger?host=/run/postgresql&password=sentinel": "PostgreSQL /run/postgresql/ledger",
		"postgres://shop:sentinel@/ledger":                          "PostgreSQL localhost/ledger",
		"no URL: sentinel":                                          "PostgreSQL",
	} {
		assert.Equal(t, name, (&Postgres{URL: redact.Secret(url)}).String())
	}
	engine := &Postgres{URL: "postgres://shop:sentinel@db.example/ledger"}
	assert.NotContains(t, ledgerKey(engine), "sentinel")
	other := &Postgres{URL: "postgres://shop:other@db.example/ledger"}
	assert.NotEqual(t, ledgerKey(engine), ledgerKey(other), "a new password is tried by a new handle")
}

func TestAPasswordThatIsWrittenOutIsSeen(t *testing.T) {
	for url, literal := range map[string]bool{
		"postgres://shop:secret@db.example/ledger":                  true,
		"postgres://shop:secret@{env.TEST_HOST}/ledger":             true,
		"postgres://shop:a{env.TEST_PASSWORD}@db.example/ledger":    true,
		"postgres://shop@db.example/ledger?password=secret":         true,
		"postgres://shop:{env.TEST_PASSWORD}@db.example/ledger":     false,
		"postgres://db.example/ledger?password={env.TEST_PASSWORD}": false,
		"postgres://shop@db.example/ledger":                         false,
		"{env.TEST_URL}":                                            false,
	} {
		assert.Equal(t, literal, hasLiteralPassword(url), url)
	}
}

func TestAnEngineThatTheBuildHasOpensTheDatabase(t *testing.T) {
	var opened string
	errRefused := errors.New("no database there")
	p := &Postgres{URL: "postgres://db.example/ledger", engine: func(_ context.Context, address string, _ *zap.Logger) (ledger.Ledger, error) {
		opened = address
		return nil, errRefused
	}}
	_, err := p.open(t.Context(), nil)
	assert.ErrorIs(t, err, errRefused)
	assert.Equal(t, "postgres://db.example/ledger", opened)
}

// siteWith is a configuration with one site, whose ledger is in a file.
func siteWith(t *testing.T, file string) []byte {
	t.Helper()
	t.Setenv("TEST_CLIENT_KEY", "TESTKEY")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	text := `{
		admin off
		auto_https off
		persist_config off
		storage file_system ` + t.TempDir() + `
	}
	http://` + listener.Addr().String() + ` {
		qfpay_jsapi {
			app_code TESTAPPCODE
			client_key {env.TEST_CLIENT_KEY}
			merchant_name "Harbour Pets"
			currency HKD
			item cat-food 128.00
			ledger sqlite ` + file + `
		}
	}`
	adapted, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(text), map[string]any{"filename": "Caddyfile"})
	require.NoError(t, err)
	return adapted
}

func TestValidatingOpensNothingAndLoadingOpensTheLedger(t *testing.T) {
	file := filepath.Join(t.TempDir(), "shop", "ledger.db")
	adapted := siteWith(t, file)
	provisioning.Lock()
	defer provisioning.Unlock()
	var config caddy.Config
	require.NoError(t, json.Unmarshal(adapted, &config))
	require.NoError(t, caddy.Validate(&config))
	assert.NoDirExists(t, filepath.Dir(file))

	require.NoError(t, caddy.Load(adapted, true))
	assert.FileExists(t, file)
	require.NoError(t, caddy.Load(adapted, true), "again, on the same ledger")
	require.NoError(t, caddy.Stop())
	assert.NoFileExists(t, file+"-wal", "it was closed")
}

func TestALedgerThatCannotBeOpenedFailsTheLoad(t *testing.T) {
	inTheWay := filepath.Join(t.TempDir(), "a-file")
	require.NoError(t, os.WriteFile(inTheWay, nil, 0o600))
	adapted := siteWith(t, filepath.Join(inTheWay, "ledger.db"))
	provisioning.Lock()
	defer provisioning.Unlock()
	err := caddy.Load(adapted, true)
	assert.ErrorContains(t, err, "qfpay_jsapi: ledger: the folder of the ledger cannot be created")
	_ = caddy.Stop()
}
