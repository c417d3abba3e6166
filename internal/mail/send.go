package mail

import (
	"context"
	"errors"
	"fmt"
	"net/textproto"
	"strings"

	gomail "github.com/wneessen/go-mail"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/redact"
)

// Result is what came of one attempt.
type Result struct {
	Delivered bool  // the server took the mail
	Final     bool  // the server will never take it: there is no such address, or it refuses what it says
	Code      int   // the server's reply, such as 451; 250 when delivered, 0 if none came
	Err       error // why the mail was not delivered, without addresses; nil when delivered
}

// Send makes one attempt and takes no longer than a minute or ctx. Whether a mail
// that was not delivered has arrived is unknown unless the server refused it.
func (e *Endpoint) Send(ctx context.Context, m Message) Result {
	composed, err := e.compose(m)
	if err != nil {
		return Result{Final: true, Err: err}
	}
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	s, err := e.mailer.server.connect(ctx)
	if err != nil {
		return Result{Code: codeOf(err), Err: e.mailer.trouble("connecting to", err)}
	}
	defer s.close()
	err = s.client.SendWithSMTPClient(s.smtp, composed)
	if err != nil && !composed.IsDelivered() {
		return e.mailer.unsent(ctx, err)
	}
	return Result{Delivered: true, Code: 250}
}

// Check connects, encrypts and authenticates as mails do, and sends nothing. The
// error names the server, and shows no address, user or password.
func (m *Mailer) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	s, err := m.server.connect(ctx)
	if err != nil {
		return m.trouble("connecting to", err)
	}
	defer s.close()
	if err := s.smtp.Noop(); err != nil {
		return m.trouble("asking", ended(ctx, err))
	}
	return nil
}

// unsent is an attempt at which the server did not take the mail. What it says once
// it knows the recipient may name the address, in whichever spelling, and is left out.
func (m *Mailer) unsent(ctx context.Context, err error) Result {
	failed, ok := errors.AsType[*gomail.SendError](err)
	switch {
	case ctx.Err() != nil || !ok:
		return Result{Err: m.trouble("sending by", ended(ctx, err))}
	case failed.Reason == gomail.ErrSMTPMailFrom:
		said, _, _ := strings.Cut(failed.Error(), ", affected ") // which lists what was to be sent
		return Result{Code: failed.ErrorCode(), Err: m.trouble("sending by", errors.New(said))}
	case failed.ErrorCode() == 0:
		return Result{Err: fmt.Errorf("sending by %s: the connection broke, or the answer makes no sense", &m.server)}
	default:
		said := strings.TrimSpace(fmt.Sprint(failed.ErrorCode(), " ", failed.EnhancedStatusCode()))
		return Result{Final: isFinal(failed), Code: failed.ErrorCode(), Err: fmt.Errorf("%s refused %s: %s", &m.server, refused(failed.Reason), said)}
	}
}

// refused says what a server refused.
func refused(reason gomail.SendErrReason) string {
	if reason == gomail.ErrSMTPRcptTo {
		return "the recipient's address"
	}
	return "the mail"
}

// isFinal reports whether a refusal is about this address or this mail, for which
// nothing can be done: not about the sender, the account, its quota or its rights,
// which the owner may mend meanwhile, nor about a mailbox that is full (RFC 3463).
func isFinal(failed *gomail.SendError) bool {
	if failed.ErrorCode() < 500 || failed.ErrorCode() == 552 {
		return false
	}
	_, enhanced, _ := strings.Cut(failed.EnhancedStatusCode(), ".")
	subject, detail, _ := strings.Cut(enhanced, ".")
	switch subject {
	case "":
		return failed.ErrorCode() == 550 || failed.ErrorCode() == 551 || failed.ErrorCode() == 553
	case "1":
		return detail != "7" && detail != "8" // which are about the sender
	case "6":
		return true
	case "2":
		return detail != "2"
	default:
		return false
	}
}

// codeOf is the server's reply in an error; 0 if there is none.
func codeOf(err error) int {
	if reply, ok := errors.AsType[*textproto.Error](err); ok {
		return reply.Code
	}
	return 0
}

// trouble is an error without what must not be shown. Only replies that were given
// before the server heard of a recipient come here.
func (m *Mailer) trouble(doing string, err error) error {
	hide := redact.Hiding(m.server.credentials()...).And(m.from.Address)
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s %s: %w", doing, &m.server, context.DeadlineExceeded)
	}
	return fmt.Errorf("%s %s: %w", doing, &m.server, hide.Error(err))
}
