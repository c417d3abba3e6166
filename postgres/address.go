package postgres

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/remote"
)

// connectTimeout bounds how long one attempt to connect takes, where the URL does
// not say.
const connectTimeout = 5 * time.Second

// parseAddress reads the URL of a database. What is wrong with it is said without
// quoting it.
func parseAddress(address string) (*pgx.ConnConfig, error) {
	parsed, err := ledger.ParsePostgresURL(address)
	if err != nil {
		return nil, err
	}
	config, err := pgx.ParseConfig(address)
	if err != nil {
		return nil, fmt.Errorf("a parameter of the PostgreSQL address, or a file that it names, is not right%s", detail(parsed, err))
	}
	if config.Database == "" || config.Database == config.User && strings.Trim(parsed.Path, "/") == "" && !parsed.Query().Has("dbname") {
		return nil, errors.New("the PostgreSQL address names no database: postgres://user:password@host:5432/database")
	}
	if !parsed.Query().Has("connect_timeout") {
		config.ConnectTimeout = connectTimeout
	}
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "caddy-qfpay-jsapi"
	}
	return config, nil
}

// detail is what pgx has to say of a parameter, unless that quotes a password.
func detail(address *url.URL, err error) string {
	_, text, found := strings.Cut(err.Error(), "`: ")
	if !found {
		return ""
	}
	for name, values := range address.Query() {
		if !strings.Contains(name, "password") {
			continue
		}
		for _, secret := range values {
			if strings.Contains(text, secret) {
				return ""
			}
		}
	}
	if secret, _ := address.User.Password(); secret != "" && strings.Contains(text, secret) {
		return ""
	}
	return ": " + text
}

// mayBePlain reports whether a connection may leave this machine without TLS, as it may
// where sslmode is disable, allow or prefer, which is the default.
func mayBePlain(config *pgx.ConnConfig) bool {
	return isPlain(config.Host, config.TLSConfig) || slices.ContainsFunc(config.Fallbacks, func(other *pgconn.FallbackConfig) bool {
		return isPlain(other.Host, other.TLSConfig)
	})
}

func isPlain(host string, tls *tls.Config) bool {
	network, _ := pgconn.NetworkAddress(host, 0)
	return tls == nil && network != "unix" && !remote.IsLoopback(host)
}

// nameOf is what people are shown of a database.
func nameOf(config *pgx.ConnConfig) string {
	host := net.JoinHostPort(config.Host, strconv.Itoa(int(config.Port)))
	if strings.HasPrefix(config.Host, "/") { // the folder of a socket
		host = config.Host
	}
	return "PostgreSQL " + host + "/" + config.Database
}
