// Package mailtest starts a real mail server for tests: Mailpit, which takes every
// mail, delivers none, and shows what it took. It is a module of its own, so that
// nobody else needs what Mailpit needs.
package mailtest

import (
	"bytes"
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"net/mail"
	"net/textproto"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// The account of a server that has one.
const (
	User     = "shop@example.com"
	Password = "sentinel-p4ss/word"
)

const (
	startTime = 30 * time.Second
	callTime  = 10 * time.Second
	mostReply = 8 << 20
)

// Config is how a server behaves.
type Config struct {
	StartTLS  bool   // it offers STARTTLS, and takes nothing without it
	TLS       bool   // it begins with TLS
	Account   bool   // it takes mails of User with Password alone
	Address   string // host and port; "" is a free one
	Recipient string // a regular expression of the addresses that it knows; "" is all
}

// Server is a mail server on a port of 127.0.0.1. It ends with its test.
type Server struct {
	SMTP  string         // host and port
	Roots *x509.CertPool // vouch for its certificate; nil without TLS

	t   testing.TB
	api string
	log bytes.Buffer // to be read when the server has ended
}

// Start starts a server, or fails the test.
func Start(t testing.TB, config Config) *Server {
	t.Helper()
	dir := t.TempDir()
	s := &Server{t: t, SMTP: cmp.Or(config.Address, FreeAddress(t))}
	web := FreeAddress(t)
	s.api = "http://" + web + "/api/v1/"
	args := []string{
		"--smtp", s.SMTP, "--listen", web, "--database", filepath.Join(dir, "mails.db"),
		"--disable-version-check", "--smtp-disable-rdns", "--smtp-strict-rfc-headers", "--enable-chaos", "--quiet",
	}
	if config.StartTLS || config.TLS {
		certificate, key := s.certify(dir)
		args = append(args, "--smtp-tls-cert", certificate, "--smtp-tls-key", key)
	}
	if config.StartTLS {
		args = append(args, "--smtp-require-starttls")
	}
	if config.TLS {
		args = append(args, "--smtp-require-tls")
	}
	if config.Account {
		file := filepath.Join(dir, "accounts")
		s.write(file, []byte(User+":"+Password+"\n"))
		args = append(args, "--smtp-auth-file", file)
	}
	if config.Account && !config.StartTLS && !config.TLS {
		args = append(args, "--smtp-auth-allow-insecure")
	}
	if config.Recipient != "" {
		args = append(args, "--smtp-allowed-recipients", config.Recipient)
	}
	s.run(args)
	return s
}

func (s *Server) run(args []string) {
	s.t.Helper()
	process := exec.Command(program(s.t), args...)
	process.Stdout, process.Stderr = &s.log, &s.log
	if err := process.Start(); err != nil {
		s.t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = process.Wait()
	}()
	s.t.Cleanup(func() {
		_ = process.Process.Kill()
		<-ended
		if s.t.Failed() {
			s.t.Logf("the mail server said: %s", &s.log)
		}
	})
	for deadline := time.Now().Add(startTime); ; time.Sleep(20 * time.Millisecond) {
		select {
		case <-ended:
			s.t.Fatalf("the mail server has ended: %s", &s.log)
		default:
		}
		if s.answers() {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatal("the mail server does not answer")
		}
	}
}

func (s *Server) answers() bool {
	conn, err := net.DialTimeout("tcp", s.SMTP, time.Second)
	if err != nil {
		return false
	}
	_ = conn.Close()
	response, err := http.Get(s.api + "info")
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// program is Mailpit, built from its module.
func program(t testing.TB) string {
	t.Helper()
	_, here, _, _ := runtime.Caller(0)
	build := exec.Command("go", "tool", "-n", "mailpit")
	build.Dir = filepath.Dir(here) // in this module, whoever's test it is
	out, err := build.Output()
	if err != nil {
		t.Fatalf("building the mail server: %v", err)
	}
	return strings.TrimSpace(string(out))
}

// Mail is what the server took, read as mail programs do.
type Mail struct {
	ID              string
	MessageID       string
	From            *mail.Address
	To, Cc, ReplyTo []*mail.Address
	Bcc             []*mail.Address // of whom the envelope alone spoke
	Subject         string
	Text, HTML      string

	Header textproto.MIMEHeader `json:"-"`
}

// Mails returns what the server took, the oldest first.
func (s *Server) Mails() []Mail {
	s.t.Helper()
	var list struct{ Messages []struct{ ID string } }
	s.call(http.MethodGet, "messages?limit=1000", nil, &list)
	mails := make([]Mail, 0, len(list.Messages))
	for i := len(list.Messages) - 1; i >= 0; i-- {
		var one Mail
		s.call(http.MethodGet, "message/"+list.Messages[i].ID, nil, &one)
		s.call(http.MethodGet, "message/"+list.Messages[i].ID+"/headers", nil, &one.Header)
		mails = append(mails, one)
	}
	return mails
}

// Failures are the replies with which the server refuses; 0 takes what comes.
type Failures struct{ Sender, Recipient, Account int }

// Fail makes the server refuse from now on.
func (s *Server) Fail(with Failures) {
	s.t.Helper()
	trigger := func(code int) map[string]int {
		if code == 0 {
			return map[string]int{"ErrorCode": 451, "Probability": 0}
		}
		return map[string]int{"ErrorCode": code, "Probability": 100}
	}
	s.call(http.MethodPut, "chaos", map[string]any{
		"Sender": trigger(with.Sender), "Recipient": trigger(with.Recipient), "Authentication": trigger(with.Account),
	}, nil)
}

func (s *Server) call(method, path string, body, reply any) {
	s.t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(s.t.Context(), callTime)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, s.api+path, bytes.NewReader(raw))
	if err != nil {
		s.t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	raw, err = io.ReadAll(io.LimitReader(response.Body, mostReply))
	if err != nil || response.StatusCode != http.StatusOK {
		s.t.Fatalf("%s %s: %d %s %v", method, path, response.StatusCode, raw, err)
	}
	if reply == nil {
		return
	}
	if err := json.Unmarshal(raw, reply); err != nil {
		s.t.Fatal(err)
	}
}

// certify writes a certificate for localhost and 127.0.0.1, and its key.
func (s *Server) certify(dir string) (certificate, key string) {
	s.t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		s.t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		s.t.Fatal(err)
	}
	privateDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		s.t.Fatal(err)
	}
	s.Roots = x509.NewCertPool()
	certificate, key = filepath.Join(dir, "server.pem"), filepath.Join(dir, "server.key")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	s.Roots.AppendCertsFromPEM(text)
	s.write(certificate, text)
	s.write(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: privateDER}))
	return certificate, key
}

func (s *Server) write(file string, text []byte) {
	s.t.Helper()
	if err := os.WriteFile(file, text, 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// nextPort counts up from a random start, below the ports that the system hands out
// by itself: none is given out twice, and no connection takes one.
var nextPort atomic.Int32

func init() { nextPort.Store(28000 + mathrand.Int32N(3000)) }

// FreeAddress is a host and port of this machine at which nobody listens.
func FreeAddress(t testing.TB) string {
	t.Helper()
	for {
		address := fmt.Sprintf("127.0.0.1:%d", nextPort.Add(1))
		if listener, err := net.Listen("tcp", address); err == nil {
			if err := listener.Close(); err != nil {
				t.Fatal(err)
			}
			return address
		}
	}
}
