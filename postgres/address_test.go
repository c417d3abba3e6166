package postgres

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

const secret = "s3ntinel"

func TestAnAddressIsNamedWithoutItsPassword(t *testing.T) {
	for address, name := range map[string]string{
		"postgres://shop:" + secret + "@db.example.com:6432/ledger?sslmode=disable": "PostgreSQL db.example.com:6432/ledger",
		"postgresql://shop:" + secret + "@db.example.com/ledger?sslmode=disable":    "PostgreSQL db.example.com:5432/ledger",
		"postgres://shop@db/ledger?sslmode=disable&password=" + secret:              "PostgreSQL db:5432/ledger",
		"postgres://shop:" + secret + "@[::1]/ledger?sslmode=disable":               "PostgreSQL [::1]:5432/ledger",
		"postgres:///ledger?host=/var/run/postgresql&user=shop&password=" + secret:  "PostgreSQL /var/run/postgresql/ledger",
	} {
		config, err := parseAddress(address)
		require.NoError(t, err, name)
		assert.Equal(t, name, nameOf(config))
		assert.Equal(t, secret, config.Password, "the address means what it says")
		assert.Equal(t, connectTimeout, config.ConnectTimeout, "no attempt to connect waits without end")
	}
}

func TestAWrongAddressIsRefusedWithoutItsPassword(t *testing.T) {
	for _, address := range []string{
		"",
		"ledger",
		"mysql://shop:" + secret + "@db/ledger",
		"host=db user=shop password=" + secret,
		"postgres:shop:" + secret + "@db/ledger",
		"postgres://shop:" + secret + "/x@db/ledger",
		"postgres://shop:" + secret + "?x@db/ledger",
		"postgres://shop:" + secret + "#x@db/ledger",
		"postgres://shop:" + secret + "%zz@db/ledger",
		"postgres://shop:" + secret + "@db:port/ledger",
		"postgres://shop:" + secret + "@db",
		"postgres://shop:" + secret + "@db/ledger?sslmode=perhaps",
		"postgres://shop:" + secret + "@db/ledger?sslmode=verify-full&sslrootcert=/nowhere/" + secret,
		"postgres://shop@db/ledger?connect_timeout=" + secret + "&password=" + secret,
		"postgres://shop:" + secret + "@db/ledger?default_query_exec_mode=perhaps",
	} {
		_, err := Open(t.Context(), address, nil)
		require.Error(t, err, address)
		for ; err != nil; err = errors.Unwrap(err) {
			assert.NotContains(t, err.Error(), secret)
		}
	}
}

func TestALedgerThatMayBeReachedWithoutTLSIsWarnedOf(t *testing.T) {
	t.Setenv("PGSSLMODE", "")
	for address, isPlain := range map[string]bool{
		"postgres://shop:" + secret + "@db.example/ledger":                                         true, // prefer
		"postgres://shop:" + secret + "@db.example/ledger?sslmode=disable":                         true,
		"postgres://shop:" + secret + "@db.example/ledger?sslmode=allow":                           true,
		"postgres://shop:" + secret + "@db.example/ledger?sslmode=prefer":                          true,
		"postgres://shop:" + secret + "@10.0.0.5/ledger?sslmode=disable":                           true,
		"postgres://shop:" + secret + "@localhost,db.example/ledger?sslmode=disable":               true,
		"postgres://shop:" + secret + "@db.example/ledger?sslmode=require":                         false,
		"postgres://shop:" + secret + "@db.example/ledger?sslmode=verify-ca":                       false,
		"postgres://shop:" + secret + "@db.example/ledger?sslmode=verify-full":                     false,
		"postgres://shop:" + secret + "@localhost/ledger":                                          false,
		"postgres://shop:" + secret + "@127.0.0.1/ledger?sslmode=disable":                          false,
		"postgres://shop:" + secret + "@[::1]/ledger?sslmode=disable":                              false,
		"postgres:///ledger?host=/var/run/postgresql&sslmode=disable&user=shop&password=" + secret: false,
		"postgres://shop:" + secret + "@localhost,127.0.0.1/ledger?sslmode=disable":                false,
	} {
		core, entries := observer.New(zap.DebugLevel)
		ctx, cancel := context.WithCancel(t.Context())
		cancel() // nobody is called
		_, err := Open(ctx, address, zap.New(core))
		require.Error(t, err)
		if !isPlain {
			assert.Empty(t, entries.All(), address)
			continue
		}
		require.Len(t, entries.All(), 1, address)
		warning := entries.All()[0]
		assert.Equal(t, zap.WarnLevel, warning.Level)
		assert.Contains(t, warning.Message, "add sslmode=verify-full to its URL")
		assert.Equal(t, "ledger.url", warning.ContextMap()["field"])
		assert.NotContains(t, fmt.Sprint(warning.Message, warning.ContextMap()), secret)
	}
}

func TestTextsArriveAsPostgreSQLTakesThem(t *testing.T) {
	args, err := fit([]any{"a\x00b", "a\xffb", "支付 🧋", int64(7), nil, true})
	require.NoError(t, err)
	assert.Equal(t, []any{"a\uFFFDb", "a\uFFFDb", "支付 🧋", int64(7), nil, true}, args)
}
