package mail

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/remote"
)

// maxURLBytes bounds a server's URL.
const maxURLBytes = 2048

// What can be wrong with a URL. None of it repeats the URL, which holds a password.
var (
	errNotURL = errors.New("must be a mail server's URL such as smtp://user:password@mail.example.com, or smtps:// for a server that begins with TLS; " +
		"in user and password, write @ as %40, : as %3A and / as %2F")
	errURLRest   = errors.New("a mail server's URL has no path and no #fragment")
	errURLPort   = errors.New("a mail server's port is a number from 1 to 65535")
	errURLUser   = errors.New("a mail server's URL has both a user and a password, or neither")
	errURLQuery  = errors.New("a mail server's URL takes only ?tls=starttls or ?tls=none, with smtp://")
	errPlainText = errors.New("a password is never sent to another machine without TLS: remove tls=none or the password")
)

// server is where mails are handed in.
type server struct {
	host string
	port string
	tls  tlsMode
	user string
	// A function rather than the password itself: nothing that prints a value,
	// however deep it looks, prints what a function has captured.
	password func() string
	helo     string // the name by which we introduce ourselves
	roots    *x509.CertPool
}

// tlsMode is when a connection is encrypted.
type tlsMode int

const (
	startTLS    tlsMode = iota // after the first words, or nothing is sent
	implicitTLS                // from the first byte
	noTLS
)

// CheckURL reports what is wrong with a server's URL: smtp://user:password@host:port,
// by default with port 587, where nothing is sent without STARTTLS; or smtps:// with
// port 465. TLS is left out towards this machine itself, unless the URL ends with
// ?tls=starttls, and with ?tls=none, which no password may go with but to this
// machine. It looks up no name. The error does not show the URL.
func CheckURL(rawURL string) error {
	_, err := parseURL(rawURL)
	return err
}

func parseURL(rawURL string) (server, error) {
	u, err := url.Parse(rawURL)
	if err != nil || len(rawURL) > maxURLBytes || u.Hostname() == "" || u.Opaque != "" || strings.Contains(u.Host, "%") {
		return server{}, errNotURL
	}
	s := server{host: u.Hostname(), port: u.Port()}
	switch {
	case u.Scheme == "smtps":
		s.tls, s.port = implicitTLS, cmp.Or(s.port, "465")
	case u.Scheme == "smtp":
		s.port = cmp.Or(s.port, "587")
	default:
		return server{}, errNotURL
	}
	if u.Path != "" && u.Path != "/" || strings.Contains(rawURL, "#") {
		return server{}, errURLRest
	}
	if port, err := strconv.ParseUint(s.port, 10, 16); err != nil || port == 0 {
		return server{}, errURLPort
	}
	if err := s.setTLS(u.RawQuery); err != nil {
		return server{}, err
	}
	return s, s.setUser(u.User)
}

func (s *server) setTLS(query string) error {
	switch {
	case query == "" && s.tls == startTLS && remote.IsLoopback(s.host):
		s.tls = noTLS
	case query == "":
	case s.tls == implicitTLS:
		return errURLQuery
	case query == "tls=starttls":
		s.tls = startTLS
	case query == "tls=none":
		s.tls = noTLS
	default:
		return errURLQuery
	}
	return nil
}

func (s *server) setUser(user *url.Userinfo) error {
	if user == nil {
		return nil
	}
	password, _ := user.Password()
	switch {
	case user.Username() == "" || password == "":
		return errURLUser
	case s.tls == noTLS && !remote.IsLoopback(s.host):
		return errPlainText
	}
	s.user, s.password = user.Username(), func() string { return password }
	return nil
}

// credentials are the spellings in which user and password go over the wire.
func (s *server) credentials() (all []string) {
	if s.password == nil {
		return nil
	}
	password := s.password()
	for _, text := range []string{"\x00" + s.user + "\x00" + password, password, s.user} {
		all = append(all, text, base64.StdEncoding.EncodeToString([]byte(text)))
	}
	return all
}

// String is host and port.
func (s *server) String() string { return net.JoinHostPort(s.host, s.port) }

func (s *server) tlsConfig() *tls.Config {
	return &tls.Config{ServerName: s.host, RootCAs: s.roots, MinVersion: tls.VersionTLS12}
}
