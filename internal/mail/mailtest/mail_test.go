package mailtest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/mail"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/mail/mailtest"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/redact"
)

const (
	from  = "shop@example.com"
	owner = "owner@example.com"
	payer = "payer@home.example"
)

const paid = `{"shop":"main","order":"01KAR4ZV8N6Q2W3E4R5T6Y7X8J","status":"paid","method":"jsapi","amount":25600,"currency":"HKD",` +
	`"description":"貓糧 and 1 more","ref":"INV-42","syssn":"20261123000200020081234567","paid_at":"2026-11-23T10:04:00Z","locale":"zh-Hant",` +
	`"fields":{"name":"陳大文","email":"payer@home.example"},"items":[{"name":"貓糧","quantity":2,"price":12800}]}`

// urlOf is the URL of a server, with its account.
func urlOf(scheme, address, password string) redact.Secret {
	u := url.URL{Scheme: scheme, Host: address}
	if password != "" {
		u.User = url.UserPassword(mailtest.User, password)
	}
	return redact.Secret(u.String())
}

func newMailer(t *testing.T, s *mailtest.Server, url redact.Secret) *mail.Mailer {
	t.Helper()
	m, err := mail.New(mail.Config{
		URL: url, From: from, To: []string{owner}, Receipt: "email", Merchant: "Harbour Pets 海港寵物", Roots: s.Roots,
	})
	require.NoError(t, err)
	return m
}

// toOwner and toPayer send a mail about a payment.
func toOwner(t *testing.T, m *mail.Mailer) mail.Result { return sendTo(t, m.Endpoints()[0]) }
func toPayer(t *testing.T, m *mail.Mailer) mail.Result { return sendTo(t, m.Endpoints()[1]) }

func sendTo(t *testing.T, e *mail.Endpoint) mail.Result {
	t.Helper()
	return e.Send(t.Context(), mail.Message{
		ID: "msg_01KAR4ZV8N6Q2W3E4R5T6Y7X8J_paid", Kind: mail.KindPaid, At: time.Now().Truncate(time.Second), Data: json.RawMessage(paid),
	})
}

func TestMailsArriveByEveryWayThatServersOffer(t *testing.T) {
	for name, way := range map[string]struct {
		config mailtest.Config
		url    func(s *mailtest.Server) redact.Secret
	}{
		"STARTTLS with an account": {mailtest.Config{StartTLS: true, Account: true}, func(s *mailtest.Server) redact.Secret {
			return urlOf("smtp", s.SMTP, mailtest.Password) + "?tls=starttls"
		}},
		"STARTTLS without": {mailtest.Config{StartTLS: true}, func(s *mailtest.Server) redact.Secret {
			return urlOf("smtp", strings.Replace(s.SMTP, "127.0.0.1", "localhost", 1), "") + "?tls=starttls"
		}},
		"TLS with an account": {mailtest.Config{TLS: true, Account: true}, func(s *mailtest.Server) redact.Secret {
			return urlOf("smtps", s.SMTP, mailtest.Password)
		}},
		"this machine": {mailtest.Config{}, func(s *mailtest.Server) redact.Secret {
			return urlOf("smtp", s.SMTP, "")
		}},
		"this machine with an account": {mailtest.Config{Account: true}, func(s *mailtest.Server) redact.Secret {
			return urlOf("smtp", s.SMTP, mailtest.Password)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := mailtest.Start(t, way.config)
			m := newMailer(t, s, way.url(s))

			require.NoError(t, m.Check(t.Context()))
			require.Empty(t, s.Mails(), "a check sends nothing")

			require.Equal(t, mail.Result{Delivered: true, Code: 250}, toOwner(t, m))
			require.Equal(t, mail.Result{Delivered: true, Code: 250}, toPayer(t, m))
			mails := s.Mails()
			require.Len(t, mails, 2)
			assertTold(t, mails[0])
			assertReceipt(t, mails[1])
		})
	}
}

func assertTold(t *testing.T, told mailtest.Mail) {
	t.Helper()
	assert.Equal(t, "Harbour Pets 海港寵物", told.From.Name)
	assert.Equal(t, from, told.From.Address)
	require.Len(t, told.To, 1)
	assert.Equal(t, owner, told.To[0].Address)
	require.Len(t, told.ReplyTo, 1)
	assert.Equal(t, payer, told.ReplyTo[0].Address)
	assert.Empty(t, told.Bcc)
	assert.Equal(t, "Paid: HK$256.00, 貓糧 and 1 more", told.Subject)
	for _, text := range []string{"貓糧 × 2", "陳大文", "20261123000200020081234567"} {
		assert.Contains(t, told.Text, text)
	}
	assert.Contains(t, told.HTML, "陳大文")
}

func assertReceipt(t *testing.T, receipt mailtest.Mail) {
	t.Helper()
	require.Len(t, receipt.To, 1)
	assert.Equal(t, payer, receipt.To[0].Address)
	assert.Empty(t, receipt.ReplyTo)
	assert.Equal(t, "Harbour Pets 海港寵物 的收據：HK$256.00", receipt.Subject)
	assert.Contains(t, receipt.Text, "貓糧 × 2: HK$256.00")
	assert.NotContains(t, receipt.Text+receipt.HTML, "陳大文")
	assert.Equal(t, "msg_01KAR4ZV8N6Q2W3E4R5T6Y7X8J_paid.mail-payer@example.com", receipt.MessageID)
	assert.Equal(t, []string{"auto-generated"}, receipt.Header["Auto-Submitted"])
}

func TestNothingIsSentToAServerThatCannotBeTrusted(t *testing.T) {
	for name, test := range map[string]struct {
		config mailtest.Config
		scheme string
		query  redact.Secret
		want   string
	}{
		"no STARTTLS":                 {mailtest.Config{Account: true}, "smtp", "?tls=starttls", "does not support STARTTLS"},
		"an unknown signer, STARTTLS": {mailtest.Config{StartTLS: true, Account: true}, "smtp", "?tls=starttls", "certificate"},
		"an unknown signer, TLS":      {mailtest.Config{TLS: true, Account: true}, "smtps", "", "certificate"},
		"no TLS":                      {mailtest.Config{Account: true}, "smtps", "", "tls: first record does not look like a TLS handshake"},
	} {
		t.Run(name, func(t *testing.T) {
			s := mailtest.Start(t, test.config)
			s.Roots = nil
			m := newMailer(t, s, urlOf(test.scheme, s.SMTP, mailtest.Password)+test.query)
			result := toPayer(t, m)
			assert.False(t, result.Delivered)
			assert.False(t, result.Final)
			assertShowsNothing(t, result.Err)
			assert.ErrorContains(t, result.Err, test.want)
			assert.ErrorContains(t, result.Err, s.SMTP)
			assert.ErrorContains(t, m.Check(t.Context()), test.want)
			assert.Empty(t, s.Mails())
		})
	}
}

// assertShowsNothing of account, addresses or order.
func assertShowsNothing(t *testing.T, err error) {
	t.Helper()
	require.Error(t, err)
	for _, secret := range []string{mailtest.Password, "p4ss", mailtest.User, owner, payer, "陳大文"} {
		assert.NotContains(t, err.Error(), secret)
	}
}

func TestAWrongPasswordIsTheOwnersToMend(t *testing.T) {
	s := mailtest.Start(t, mailtest.Config{StartTLS: true, Account: true})
	m := newMailer(t, s, urlOf("smtp", s.SMTP, "wrong-"+mailtest.Password)+"?tls=starttls")
	result := toOwner(t, m)
	assert.Equal(t, 535, result.Code)
	assert.False(t, result.Final, "it is tried until the password is right")
	assertShowsNothing(t, result.Err)
	assert.ErrorContains(t, result.Err, "535")
	assert.ErrorContains(t, m.Check(t.Context()), "535")
	assert.Empty(t, s.Mails())
}

func TestARefusalForGoodIsToldFromOneForNow(t *testing.T) {
	s := mailtest.Start(t, mailtest.Config{Account: true})
	m := newMailer(t, s, urlOf("smtp", s.SMTP, mailtest.Password))
	for name, test := range map[string]struct {
		failures mailtest.Failures
		code     int
		final    bool
		want     string
	}{
		"come back later":       {mailtest.Failures{Recipient: 451}, 451, false, s.SMTP + " refused the recipient's address: 451"},
		"no such mailbox":       {mailtest.Failures{Recipient: 550}, 550, true, s.SMTP + " refused the recipient's address: 550"},
		"a full mailbox":        {mailtest.Failures{Recipient: 552}, 552, false, s.SMTP + " refused the recipient's address: 552"},
		"the account's limits":  {mailtest.Failures{Recipient: 554}, 554, false, s.SMTP + " refused the recipient's address: 554"},
		"not from this address": {mailtest.Failures{Sender: 550}, 550, false, "Chaos sender error"},
		"busy":                  {mailtest.Failures{Sender: 421}, 421, false, `421 "Chaos sender error"`},
		"accounts are out":      {mailtest.Failures{Account: 454}, 454, false, `454 "Chaos authentication error"`},
	} {
		t.Run(name, func(t *testing.T) {
			s.Fail(test.failures)
			result := toPayer(t, m)
			assert.False(t, result.Delivered)
			assert.Equal(t, test.code, result.Code)
			assert.Equal(t, test.final, result.Final)
			assertShowsNothing(t, result.Err)
			assert.ErrorContains(t, result.Err, test.want)
		})
	}
	require.Empty(t, s.Mails())
	s.Fail(mailtest.Failures{})
	assert.True(t, toPayer(t, m).Delivered, "as soon as the server takes it")
}

func TestAnAddressThatTheServerDoesNotKnowIsGivenUp(t *testing.T) {
	s := mailtest.Start(t, mailtest.Config{Recipient: `^owner@example\.com$`})
	m := newMailer(t, s, urlOf("smtp", s.SMTP, ""))
	assert.True(t, toOwner(t, m).Delivered)
	result := toPayer(t, m)
	assert.True(t, result.Final)
	assertShowsNothing(t, result.Err)
}

func TestAMailWhoseAnswerIsLostIsSentAgainUnderTheSameID(t *testing.T) {
	s := mailtest.Start(t, mailtest.Config{})
	line := mailtest.Before(t, s)
	m := newMailer(t, s, urlOf("smtp", line.Address, ""))
	line.Cut(true)
	result := toPayer(t, m)
	assert.False(t, result.Delivered)
	assert.False(t, result.Final)
	assertShowsNothing(t, result.Err)
	line.Cut(false)
	assert.True(t, toPayer(t, m).Delivered)
	mails := s.Mails()
	require.Len(t, mails, 2)
	assert.Equal(t, mails[0].MessageID, mails[1].MessageID)
	assert.Equal(t, mails[0].Text, mails[1].Text)
	assert.Equal(t, mails[0].Header["Date"], mails[1].Header["Date"])
}

func TestNobodyCanWriteHeadersOrRecipientsIntoAMail(t *testing.T) {
	s := mailtest.Start(t, mailtest.Config{})
	for i, text := range []string{
		"x\r\nBcc: evil@example.com\r\n\r\nHello", "x\nCc: evil@example.com", "x\rBcc: evil@example.com", "=?utf-8?q?x=0D=0ABcc:_evil@example.com?=",
		"\r\n.\r\nMAIL FROM:<evil@example.com>\r\n", "\x00\u202e<script>alert(1)</script>", strings.Repeat("長", 3000), strings.Repeat("a", 3000),
	} {
		data, err := json.Marshal(map[string]any{
			"order": text, "amount": 100, "currency": "HKD", "description": text, "ref": text, "method": text, "syssn": text,
			"items": []any{map[string]any{"name": text, "quantity": 1, "price": 100}}, "fields": map[string]string{"email": payer, "name": text},
		})
		require.NoError(t, err)
		m, err := mail.New(mail.Config{URL: urlOf("smtp", s.SMTP, ""), From: from, To: []string{owner}, Receipt: "email", Merchant: text})
		require.NoError(t, err)
		for _, e := range m.Endpoints() {
			result := e.Send(t.Context(), mail.Message{ID: fmt.Sprintf("msg_%d", i), Kind: mail.KindPaid, At: time.Now(), Data: data})
			require.True(t, result.Delivered, "%v", result.Err)
		}
	}
	mails := s.Mails()
	require.Len(t, mails, 16)
	for _, one := range mails {
		assert.Equal(t, from, one.From.Address)
		assert.Len(t, one.To, 1)
		assert.Empty(t, one.Cc)
		assert.Empty(t, one.Bcc)
		assert.NotContains(t, one.HTML, "<script")
	}
}

func TestAnAddressInSeveralIsNoAddress(t *testing.T) {
	s := mailtest.Start(t, mailtest.Config{})
	m := newMailer(t, s, urlOf("smtp", s.SMTP, ""))
	for _, address := range []string{"a@example.com, b@example.com", "a@example.com>\r\nRCPT TO:<b@example.com", "a@example.com\r\nBcc: b@example.com"} {
		data, err := json.Marshal(map[string]any{"amount": 100, "currency": "HKD", "fields": map[string]string{"email": address}})
		require.NoError(t, err)
		result := m.Endpoints()[1].Send(t.Context(), mail.Message{ID: "msg_1", Kind: mail.KindPaid, At: time.Now(), Data: data})
		assert.True(t, result.Final)
		assert.NotContains(t, result.Err.Error(), "example.com")
	}
	assert.Empty(t, s.Mails())
}

func TestManyMailsAtOnceArriveOnceEach(t *testing.T) {
	s := mailtest.Start(t, mailtest.Config{StartTLS: true, Account: true})
	m := newMailer(t, s, urlOf("smtp", s.SMTP, mailtest.Password)+"?tls=starttls")
	var workers sync.WaitGroup
	for worker := range 8 {
		workers.Go(func() {
			for i := range 5 {
				result := m.Endpoints()[0].Send(t.Context(), mail.Message{ID: fmt.Sprintf("msg_%d_%d", worker, i), Kind: mail.KindPaid, At: time.Now(), Data: json.RawMessage(paid)})
				assert.True(t, result.Delivered, "%v", result.Err)
			}
		})
	}
	workers.Wait()
	ids := make(map[string]bool)
	for _, one := range s.Mails() {
		ids[one.MessageID] = true
	}
	assert.Len(t, ids, 40)
	assert.Len(t, s.Mails(), 40)
}

func TestAServerThatIsNotThereIsTriedAgain(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	require.NoError(t, listener.Close())
	m, err := mail.New(mail.Config{URL: urlOf("smtp", address, ""), From: from, To: []string{owner}, Receipt: "email"})
	require.NoError(t, err)
	result := toPayer(t, m)
	assert.False(t, result.Final)
	assert.Zero(t, result.Code)
	assert.ErrorContains(t, result.Err, "connection refused")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	assert.True(t, errors.Is(m.Check(ctx), context.Canceled))
}
