package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
)

// Times and sizes of a connection.
const (
	// attemptTimeout bounds a whole attempt: looking up the name, connecting, TLS,
	// authentication, sending, and the server's answer, before which some look
	// through the mail.
	attemptTimeout = time.Minute

	// connectTimeout bounds what comes before the mail.
	connectTimeout = 20 * time.Second

	// dialTimeout bounds looking up the name and connecting.
	dialTimeout = 10 * time.Second

	// mostReplies bounds in bytes what a server says in a connection.
	mostReplies = 1 << 20
)

var errTalkative = errors.New("the server says too much")

// session is a connection to the server, ready for a mail.
type session struct {
	client *gomail.Client
	smtp   *smtp.Client
	conn   *wire
	stop   func() bool
}

// connect opens a connection, encrypts it and authenticates, as the server's URL
// says. The session ends with ctx at the latest.
func (s *server) connect(ctx context.Context) (*session, error) {
	conn := &wire{left: mostReplies}
	client, err := s.client(conn)
	if err != nil {
		return nil, err
	}
	limited, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	stop := context.AfterFunc(limited, conn.abort)
	made, err := client.DialToSMTPClientWithContext(limited)
	if !stop() && err == nil {
		err = context.DeadlineExceeded
	}
	if err != nil {
		conn.abort()
		return nil, ended(limited, err)
	}
	return &session{client, made, conn, context.AfterFunc(ctx, conn.abort)}, nil
}

// close says goodbye, if there is time, and closes the connection. What the server
// says to that changes nothing.
func (s *session) close() {
	hurry := time.AfterFunc(2*time.Second, s.conn.abort)
	defer hurry.Stop()
	_ = s.client.CloseWithSMTPClient(s.smtp)
	s.stop()
	s.conn.abort()
}

func (s *server) client(conn *wire) (*gomail.Client, error) {
	options := []gomail.Option{
		gomail.WithTimeout(attemptTimeout), gomail.WithHELO(s.helo), gomail.WithTLSConfig(s.tlsConfig()),
		gomail.WithoutSMTPUTF8(), // all that we send is ASCII, which any server may pass on
		gomail.WithoutNoop(), gomail.WithoutRset(),
		gomail.WithDialContextFunc(func(ctx context.Context, network, _ string) (net.Conn, error) {
			return s.dial(ctx, network, conn)
		}),
	}
	policy := gomail.NoTLS // or TLS from the first byte, which dial sees to
	if s.tls == startTLS {
		policy = gomail.TLSMandatory
	}
	options = append(options, gomail.WithTLSPolicy(policy))
	if s.password != nil {
		options = append(options, gomail.WithUsername(s.user), gomail.WithPassword(s.password()), gomail.WithOpportunisticSMTPAuth(
			gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthSCRAMSHA1, gomail.SMTPAuthPlain, gomail.SMTPAuthLogin, gomail.SMTPAuthCramMD5))
	}
	return gomail.NewClient(s.host, options...)
}

func (s *server) dial(ctx context.Context, network string, conn *wire) (net.Conn, error) {
	dialer := net.Dialer{Timeout: dialTimeout}
	raw, err := dialer.DialContext(ctx, network, s.String())
	if err != nil {
		return nil, err
	}
	if !conn.open(raw) {
		return nil, context.Cause(ctx)
	}
	if s.tls != implicitTLS {
		return conn, nil
	}
	encrypted := tls.Client(conn, s.tlsConfig())
	return encrypted, encrypted.HandshakeContext(ctx)
}

// ended returns the error of ctx, if ctx is what ended a connection, and otherwise err.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}
