package mail

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/redact"
)

// broken is a server that behaves as the function does, for each connection.
func broken(t *testing.T, behave func(net.Conn)) *Mailer {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				behave(conn)
			}()
		}
	}()
	m, err := New(Config{
		URL: redact.Secret("smtp://user:SENTINEL@" + listener.Addr().String()), From: "shop@example.com", To: []string{"owner@example.com"}, Receipt: "email",
	})
	require.NoError(t, err)
	return m
}

// answering answers each command by its first word, until it has no answer.
func answering(answers map[string]string) func(net.Conn) {
	return func(conn net.Conn) {
		_, _ = fmt.Fprint(conn, "220 here\r\n")
		lines := bufio.NewScanner(conn)
		for lines.Scan() {
			command, _, _ := strings.Cut(lines.Text(), " ")
			answer, ok := answers[command]
			if !ok {
				return
			}
			if answer == "" {
				continue
			}
			if _, err := fmt.Fprint(conn, answer+"\r\n"); err != nil {
				return
			}
		}
	}
}

func sendReceipt(t *testing.T, ctx context.Context, m *Mailer) Result {
	t.Helper()
	return m.Endpoints()[1].Send(ctx, Message{ID: "m", Kind: KindPaid, At: happenedAt, Data: json.RawMessage(`{` + sampleOrder + `}`)})
}

func TestAServerThatHangsIsLeftWhenTheTimeIsOver(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	hello := "250-here\r\n250 AUTH PLAIN"
	for name, behave := range map[string]func(net.Conn){
		"at once":            func(conn net.Conn) { _, _ = conn.Read(make([]byte, 1)) },
		"after the greeting": answering(map[string]string{"EHLO": ""}),
		"after the account":  answering(map[string]string{"EHLO": hello, "AUTH": ""}),
		"at the recipient":   answering(map[string]string{"EHLO": hello, "AUTH": "235 ok", "MAIL": "250 ok", "RCPT": ""}),
		"at the mail":        answering(map[string]string{"EHLO": hello, "AUTH": "235 ok", "MAIL": "250 ok", "RCPT": "250 ok", "DATA": ""}),
	} {
		t.Run(name, func(t *testing.T) {
			m := broken(t, behave)
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			began := time.Now()
			result := sendReceipt(t, ctx, m)
			assert.Less(t, time.Since(began), 20*time.Second)
			assert.ErrorIs(t, result.Err, context.DeadlineExceeded)
			assert.False(t, result.Delivered || result.Final)
		})
	}
}

func TestAServerThatSaysTooMuchIsLeft(t *testing.T) {
	m := broken(t, func(conn net.Conn) {
		for {
			if _, err := fmt.Fprint(conn, "220-"+strings.Repeat("x", 1000)+"\r\n"); err != nil {
				return
			}
		}
	})
	result := sendReceipt(t, t.Context(), m)
	assert.ErrorContains(t, result.Err, errTalkative.Error())
	assert.Less(t, len(result.Err.Error()), 300)
}

// What a server says may hold what it was told.
func TestWhatAServerRepeatsIsNotShown(t *testing.T) {
	hello := "250-here\r\n250 AUTH PLAIN"
	account := "AHVzZXIAU0VOVElORUw=" // user and password, as they are sent
	for name, test := range map[string]struct {
		answers map[string]string
		want    string
	}{
		"the account":   {map[string]string{"EHLO": hello, "AUTH": "535 5.7.8 no such user " + account + " user SENTINEL"}, "535"},
		"the sender":    {map[string]string{"EHLO": hello, "AUTH": "235 ok", "MAIL": "550 shop@example.com may not", "RSET": "250 ok"}, "550"},
		"the recipient": {map[string]string{"EHLO": hello, "AUTH": "235 ok", "MAIL": "250 ok", "RCPT": "550 5.1.1 <payer@example.com> unknown", "RSET": "250 ok"}, "refused the recipient's address: 550"},
		"odd":           {map[string]string{"EHLO": hello, "AUTH": "235 ok", "MAIL": "250 ok", "RCPT": "354 payer@example.com?", "RSET": "250 ok"}, "makes no sense"},
		"a break":       {map[string]string{"EHLO": hello, "AUTH": "235 ok", "MAIL": "250 ok"}, "the connection broke"},
		"the mail":      {map[string]string{"EHLO": hello, "AUTH": "235 ok", "MAIL": "250 ok", "RCPT": "250 ok", "DATA": "554 payer@example.com is a spammer"}, "refused the mail: 554"},
	} {
		t.Run(name, func(t *testing.T) {
			result := sendReceipt(t, t.Context(), broken(t, answering(test.answers)))
			require.ErrorContains(t, result.Err, test.want)
			for _, secret := range []string{"SENTINEL", account, "payer@example.com", "shop@example.com"} {
				assert.NotContains(t, result.Err.Error(), secret)
			}
		})
	}
}

func TestARefusalIsFinalOnlyWhereNobodyCanMendIt(t *testing.T) {
	hello := "250-here\r\n250-ENHANCEDSTATUSCODES\r\n250 AUTH PLAIN"
	for answer, final := range map[string]bool{
		"550 5.1.1 no such user":         true,
		"550 5.1.10 no mail here":        true,
		"550 5.2.1 mailbox disabled":     true,
		"552 5.2.2 mailbox full":         false,
		"550 5.2.2 mailbox full":         false,
		"550 5.4.5 daily quota":          false,
		"554 5.7.1 relay access denied":  false,
		"550 5.7.26 sender not verified": false,
		"450 4.2.0 greylisted":           false,
		"452 4.2.2 mailbox full":         false,
		"550 5.1.8 sender's domain":      false,
		"553 5.1.7 sender's address":     false,
		"550 no such user":               true,
		"554 no":                         false,
	} {
		result := sendReceipt(t, t.Context(), broken(t, answering(map[string]string{
			"EHLO": hello, "AUTH": "235 ok", "MAIL": "250 ok", "RCPT": answer, "RSET": "250 ok",
		})))
		assert.Equal(t, final, result.Final, answer)
		assert.Equal(t, answer[:3], fmt.Sprint(result.Code), answer)
	}
}
