package qfpayjsapi

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/redact"
)

func init() {
	caddy.RegisterModule(SQLite{})
	caddy.RegisterModule(Postgres{})
}

// ledgerEngine is a module of the namespace qfpay_jsapi.ledger. Provisioning it
// opens nothing.
type ledgerEngine interface {
	// address tells the ledger from others of the same engine. It may hold a password.
	address() string

	// open opens the ledger.
	open(ctx context.Context, log *zap.Logger) (ledger.Ledger, error)

	// String names the ledger for people, without secrets.
	String() string
}

// SQLite keeps the ledger in a file on this machine. Several Caddys on one machine
// may share the file; on a network file system it is refused.
type SQLite struct {
	// The file, which is created with its folder if it is not there. Without a
	// folder's full name it counts from where Caddy was started. Default:
	// `qfpay_jsapi/ledger.db` in Caddy's data folder.
	File string `json:"file,omitempty"`
}

// CaddyModule returns the Caddy module information.
func (SQLite) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "qfpay_jsapi.ledger.sqlite",
		New: func() caddy.Module { return new(SQLite) },
	}
}

// UnmarshalCaddyfile implements caddyfile.Unmarshaler. Syntax:
//
//	sqlite [<file>]
func (s *SQLite) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the engine's name
	if d.NextArg() {
		if s.File = d.Val(); s.File == "" {
			return d.Errf("ledger sqlite: the name of the file must not be empty")
		}
	}
	return endOfLedger(d, "sqlite")
}

// Provision implements caddy.Provisioner.
func (s *SQLite) Provision(caddy.Context) error {
	file, err := caddy.NewReplacer().ReplaceOrErr(s.File, true, true)
	if err != nil {
		return fmt.Errorf("file: %w", err)
	}
	s.File, err = filepath.Abs(cmp.Or(file, filepath.Join(caddy.AppDataDir(), "qfpay_jsapi", "ledger.db")))
	return err
}

func (s *SQLite) address() string { return s.File }

func (s *SQLite) open(ctx context.Context, log *zap.Logger) (ledger.Ledger, error) {
	engine, _ := ledger.EngineNamed("sqlite") // which every build has
	return engine(ctx, s.File, log)
}

// String names the file.
func (s *SQLite) String() string { return "SQLite " + s.File }

// Postgres keeps the ledger in a PostgreSQL database, for shops on several
// machines. It needs a build with the package
// github.com/caddy-qfpay/qfpay-jsapi/postgres.
type Postgres struct {
	// The database, such as `postgres://shop@db.example:5432/ledger`, with the
	// parameters that PostgreSQL's own programs know. Special characters in a
	// password are percent-encoded. Write a placeholder in the place of the
	// password, or of the whole URL. Required.
	URL redact.Secret `json:"url,omitempty"`

	engine ledger.Open
}

// CaddyModule returns the Caddy module information.
func (Postgres) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "qfpay_jsapi.ledger.postgres",
		New: func() caddy.Module { return new(Postgres) },
	}
}

// UnmarshalCaddyfile implements caddyfile.Unmarshaler. Syntax:
//
//	postgres <URL>
func (p *Postgres) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the engine's name
	if !d.NextArg() {
		return d.Errf("ledger postgres needs a URL")
	}
	p.URL = redact.Secret(d.Val())
	if written.judgeable(string(p.URL)) || p.URL == "" {
		if _, err := parseLedgerURL(string(p.URL)); err != nil {
			return d.Errf("ledger postgres: %w", err)
		}
	}
	return endOfLedger(d, "postgres")
}

// errNoPostgres says how to get what a build lacks.
var errNoPostgres = errors.New("this build does not include PostgreSQL: build it with --with github.com/caddy-qfpay/qfpay-jsapi/postgres")

// Provision implements caddy.Provisioner.
func (p *Postgres) Provision(ctx caddy.Context) error {
	if hasLiteralPassword(string(p.URL)) {
		warnOfLiteralSecret(ctx.Logger(), "ledger.url")
	}
	expanded, err := caddy.NewReplacer().ReplaceOrErr(string(p.URL), true, true)
	if err != nil {
		return fmt.Errorf("url: %w", err)
	}
	p.URL = redact.Secret(expanded)
	if _, err := parseLedgerURL(string(p.URL)); err != nil {
		return fmt.Errorf("url: %w", err)
	}
	var found bool
	if p.engine, found = ledger.EngineNamed("postgres"); !found {
		return errNoPostgres
	}
	return nil
}

func (p *Postgres) address() string { return string(p.URL) }

func (p *Postgres) open(ctx context.Context, log *zap.Logger) (ledger.Ledger, error) {
	return p.engine(ctx, string(p.URL), log)
}

// String names server and database.
func (p *Postgres) String() string {
	u, err := parseLedgerURL(string(p.URL))
	if err != nil {
		return "PostgreSQL"
	}
	return "PostgreSQL " + cmp.Or(u.Host, u.Query().Get("host"), "localhost") + u.Path
}

func parseLedgerURL(text string) (*url.URL, error) {
	if shellVariable.MatchString(text) {
		return nil, errShellVariable
	}
	return ledger.ParsePostgresURL(text)
}

var placeholders = regexp.MustCompile(`\{[^{}]*\}`)

// hasLiteralPassword reports whether a URL as it is written holds a password, or
// a part of one, that is no placeholder.
func hasLiteralPassword(text string) bool {
	u, err := url.Parse(placeholders.ReplaceAllLiteralString(text, ""))
	if err != nil {
		return false // provisioning says so
	}
	password, _ := u.User.Password()
	return password != "" || u.Query().Get("password") != ""
}

// endOfLedger refuses what stands behind an engine and nothing would read.
func endOfLedger(d *caddyfile.Dispenser, engine string) error {
	if d.NextArg() {
		return d.Errf("ledger %s takes one value; put quotes around one with spaces", engine) // which may be a part of a password
	}
	if d.NextBlock(d.Nesting()) {
		return d.Errf("ledger %s takes no block", engine)
	}
	return nil
}

// loadLedger returns the ledger of a block, which it shares with all blocks that
// name the same one. It opens nothing. Every handle that it returns must be left
// once, see [ledgerHandle.leave].
func loadLedger(ctx caddy.Context, h *Handler) (*ledgerHandle, error) {
	engine, err := h.ledgerEngine(ctx)
	if err != nil {
		return nil, fieldError{"ledger", err}
	}
	return joinLedger(engine, ctx.Logger())
}

func (h *Handler) ledgerEngine(ctx caddy.Context) (ledgerEngine, error) {
	if h.LedgerRaw == nil {
		usual := new(SQLite)
		return usual, usual.Provision(ctx)
	}
	module, err := ctx.LoadModule(h, "LedgerRaw")
	if err != nil {
		return nil, err
	}
	engine, ok := module.(ledgerEngine)
	if !ok {
		return nil, fmt.Errorf("%T is not a ledger engine", module)
	}
	return engine, nil
}

// ledgerHandle is a ledger that all blocks which name it share, also those of other
// configurations. Caddy starts apps in no fixed order, so it is opened when the app
// starts or by the first request, whichever comes first.
type ledgerHandle struct {
	*ledger.Handle

	key string // of the pool; holds no secret
}

// ledgerPool holds those that a configuration names.
var ledgerPool = caddy.NewUsagePool()

// joinLedger returns the handle of an engine's ledger, and opens nothing.
func joinLedger(engine ledgerEngine, log *zap.Logger) (*ledgerHandle, error) {
	key := ledgerKey(engine)
	shared, _, err := ledgerPool.LoadOrNew(key, func() (caddy.Destructor, error) {
		open := func(ctx context.Context) (ledger.Ledger, error) { return engine.open(ctx, log) }
		return &ledgerHandle{ledger.NewHandle(engine.String(), log, open), key}, nil
	})
	if err != nil {
		return nil, err
	}
	return shared.(*ledgerHandle), nil
}

// ledgerKey tells ledgers apart without naming their passwords.
func ledgerKey(engine ledgerEngine) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%T %s", engine, engine.address()))
	return hex.EncodeToString(sum[:])
}

// leave says that one configuration's block names the ledger no more. It is called
// once for every [loadLedger].
func (h *ledgerHandle) leave() error {
	_, err := ledgerPool.Delete(h.key)
	return err
}

// Destruct implements caddy.Destructor.
func (h *ledgerHandle) Destruct() error { return h.Retire() }

// Interface guards
var (
	_ ledgerEngine          = (*SQLite)(nil)
	_ ledgerEngine          = (*Postgres)(nil)
	_ caddy.Provisioner     = (*SQLite)(nil)
	_ caddy.Provisioner     = (*Postgres)(nil)
	_ caddyfile.Unmarshaler = (*SQLite)(nil)
	_ caddyfile.Unmarshaler = (*Postgres)(nil)
	_ caddy.Destructor      = (*ledgerHandle)(nil)
)
