package mail

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/mail"
	"regexp"

	gomail "github.com/wneessen/go-mail"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/locale"
)

// compose writes the mail about an event, the same at every attempt. Its errors show
// nothing of the data.
func (e *Endpoint) compose(m Message) (*gomail.Msg, error) {
	if !messageID.MatchString(m.ID) {
		return nil, errMessageID
	}
	if !e.wants(m.Kind) {
		return nil, errNothing
	}
	var told event
	if json.Unmarshal(m.Data, &told) != nil {
		return nil, errors.New("the event's data is not what a mail can be written from")
	}
	to, replyTo, err := e.correspondents(told)
	if err != nil {
		return nil, err
	}
	l, err := e.write(m, told)
	if err != nil {
		return nil, err
	}
	return e.envelope(m, l, to, replyTo)
}

// correspondents are who gets the mail, and who gets the answer, nil for the sender.
func (e *Endpoint) correspondents(told event) (to, replyTo *mail.Address, err error) {
	payer, err := parsePayer(told.Fields[e.mailer.config.Receipt].first())
	switch {
	case !e.isOwner() && err != nil:
		return nil, nil, errors.New("the field for the receipt has no mail address")
	case !e.isOwner():
		return payer, nil, nil
	case err != nil:
		return e.to, nil, nil
	default:
		return e.to, payer, nil
	}
}

func (e *Endpoint) write(m Message, told event) (*letter, error) {
	l := &letter{Merchant: line(e.mailer.config.Merchant, longestName), locale: e.languageOf(told), zone: e.mailer.config.Zone}
	var err error
	if e.isOwner() {
		err = e.mailer.writeToOwner(l, m.Kind, told)
	} else {
		err = e.mailer.writeToPayer(l, m.Kind, m.At, told)
	}
	l.Subject = line(l.Subject, longestSubject)
	return l, err
}

func (e *Endpoint) languageOf(told event) *locale.Locale {
	if e.isOwner() {
		return e.language
	}
	return words.Preferred([]string{told.Locale})
}

var (
	messageID    = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,256}$`)
	errMessageID = errors.New("a message id is 1 to 256 of A-Z a-z 0-9 _ . -")
)

func (e *Endpoint) envelope(m Message, l *letter, to, replyTo *mail.Address) (*gomail.Msg, error) {
	plain, html, err := e.mailer.config.Set.render(l)
	if err != nil {
		return nil, fmt.Errorf("the template of a mail: %w", err)
	}
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	msg.FromMailAddress(e.sender())
	msg.ToMailAddress(to)
	if replyTo != nil {
		msg.ReplyToMailAddress(replyTo)
	}
	msg.Subject(l.Subject)
	msg.SetDateWithValue(m.At)
	msg.SetMessageIDWithValue(m.ID + "." + e.id + "@" + domainOf(e.mailer.from))
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: holiday notices are not sent in answer
	msg.SetBodyString(gomail.TypeTextPlain, plain)
	msg.AddAlternativeString(gomail.TypeTextHTML, html)
	return msg, nil
}

// sender is who a mail is from: to payers, the shop by its name.
func (e *Endpoint) sender() *mail.Address {
	from := *e.mailer.from
	if from.Name == "" {
		from.Name = line(e.mailer.config.Merchant, longestName)
	}
	return &from
}
