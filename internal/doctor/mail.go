package doctor

import "context"

// checkMail connects and authenticates as mails do, and sends nothing.
func (s Shop) checkMail(ctx context.Context) Finding {
	if s.Mail == nil {
		return good("not configured: no email is sent")
	}
	if err := s.Mail.Check(ctx); err != nil {
		return bad("Correct the URL of mail, with its user and password, or start the server: emails are retried for a day, and then given up.", "%v", err)
	}
	return good("the server accepts mail from here")
}
