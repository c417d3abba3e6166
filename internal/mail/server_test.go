package mail

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAServersURLSaysHostPortAndEncryption(t *testing.T) {
	for raw, want := range map[string]struct {
		address string
		tls     tlsMode
		user    string
	}{
		"smtp://mail.example.com":                      {"mail.example.com:587", startTLS, ""},
		"smtp://mail.example.com/":                     {"mail.example.com:587", startTLS, ""},
		"smtp://me%40example.com:a%2Fb@mail.example":   {"mail.example:587", startTLS, "me@example.com"},
		"smtps://me:SENTINEL@mail.example.com":         {"mail.example.com:465", implicitTLS, "me"},
		"smtps://mail.example.com:8465":                {"mail.example.com:8465", implicitTLS, ""},
		"smtp://localhost:25":                          {"localhost:25", noTLS, ""},
		"smtp://me:SENTINEL@127.0.0.1:1025":            {"127.0.0.1:1025", noTLS, "me"},
		"smtp://[::1]:25":                              {"[::1]:25", noTLS, ""},
		"smtp://localhost:25?tls=starttls":             {"localhost:25", startTLS, ""},
		"smtp://mailpit:1025?tls=none":                 {"mailpit:1025", noTLS, ""},
		"smtp://me:SENTINEL@mail.example?tls=starttls": {"mail.example:587", startTLS, "me"},
	} {
		t.Run(raw, func(t *testing.T) {
			s, err := parseURL(raw)
			require.NoError(t, err)
			assert.Equal(t, want.address, s.String())
			assert.Equal(t, want.tls, s.tls)
			assert.Equal(t, want.user, s.user)
			assert.Equal(t, want.user != "", s.password != nil)
		})
	}
}

func TestAMistakeInAServersURLIsNamedWithoutTheURL(t *testing.T) {
	for raw, want := range map[string]error{
		"":                                     errNotURL,
		"mail.example.com:587":                 errNotURL,
		"smtp:mail.example.com":                errNotURL,
		"smtp:///":                             errNotURL,
		"smtp://me:SENTINEL/x@mail.example":    errNotURL, // a password with a slash
		"smtp://me:SENTI%NEL@mail.example":     errNotURL,
		"https://me:SENTINEL@mail.example.com": errNotURL,
		"smtp://me:SENTINEL@mail.example/box":  errURLRest,
		"smtp://me:SENTINEL@mail.example#x":    errURLRest,
		"smtp://mail.example:0":                errURLPort,
		"smtp://mail.example:70000":            errURLPort,
		"smtp://SENTINEL@mail.example":         errURLUser,
		"smtp://:SENTINEL@mail.example":        errURLUser,
		"smtp://me:@mail.example":              errURLUser,
		"smtp://mail.example?tls=maybe":        errURLQuery,
		"smtp://mail.example?skip_verify=1":    errURLQuery,
		"smtps://mail.example?tls=none":        errURLQuery,
		"smtp://me:SENTINEL@mail.ex?tls=none":  errPlainText,
	} {
		t.Run(raw, func(t *testing.T) {
			err := CheckURL(raw)
			require.ErrorIs(t, err, want)
			assert.NotContains(t, err.Error(), "SENTI")
		})
	}
}

func TestNoPasswordIsPrinted(t *testing.T) {
	m, err := New(Config{URL: "smtp://me:SENTINEL@mail.example.com", From: "shop@example.com", To: []string{"owner@example.com"}})
	require.NoError(t, err)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		assert.NotContains(t, fmt.Sprintf(verb, m), "SENTINEL", verb)
		assert.NotContains(t, fmt.Sprintf(verb, m.Endpoints()[0]), "SENTINEL", verb)
		assert.NotContains(t, fmt.Sprintf(verb, m.server), "SENTINEL", verb)
	}
}
