package mail

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAPayersAddressIsOneThatEveryServerTakes(t *testing.T) {
	long := strings.Repeat("a", 64)
	for text, want := range map[string]string{
		"name@example.com":                     "name@example.com",
		" name@example.com\n":                  "name@example.com", // as a phone's keyboard leaves it
		"first.last+shop@mail.example.com":     "first.last+shop@mail.example.com",
		"name@例子.测试":                           "name@xn--fsqu00a.xn--0zwm56d",
		long + "@example.com":                  long + "@example.com",
		"":                                     "",
		"name":                                 "",
		"name@":                                "",
		"@example.com":                         "",
		"name@localhost":                       "",
		"name@example..com":                    "",
		"a@example.com, b@example.com":         "",
		"a@example.com;b@example.com":          "",
		"A <a@example.com>":                    "",
		"<a@example.com>":                      "",
		"a b@example.com":                      "",
		`"a b"@example.com`:                    "",
		"a@b@example.com":                      "",
		"a@[127.0.0.1]":                        "",
		"a@example.com\r\nBcc: b@example.com":  "",
		"a@example.com\nRCPT TO:<b@x.com>":     "",
		"a@example.com> NOTIFY=SUCCESS":        "",
		".a@example.com":                       "",
		"名@example.com":                        "",
		"a\x00@example.com":                    "",
		"a@exam\x00ple.com":                    "",
		"a" + long + "@example.com":            "",
		"a@" + strings.Repeat("a.", 130) + "b": "",
	} {
		got, err := parsePayer(text)
		if want == "" {
			require.ErrorIs(t, err, errPayer, "%q", text)
			continue
		}
		require.NoError(t, err, "%q", text)
		assert.Equal(t, want, got.Address)
	}
}

func TestTheShopsAddressMayHaveAName(t *testing.T) {
	got, err := parseAddress(`"Cat Shop, 海港" <shop@example.com>`)
	require.NoError(t, err)
	assert.Equal(t, "Cat Shop, 海港", got.Name)
	assert.Equal(t, "shop@example.com", got.Address)
	require.NoError(t, CheckAddress("root@localhost"))
	for _, text := range []string{"", "shop", "a@example.com, b@example.com", strings.Repeat("x", 600) + "@example.com"} {
		assert.ErrorIs(t, CheckAddress(text), errAddress, "%.40q", text)
	}
}

func FuzzAPayersAddress(f *testing.F) {
	for _, text := range []string{"name@example.com", "a@例子.测试", "a@b@c.d", "a@example.com\r\nBcc: b@example.com", "A <a@b.c>"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := parsePayer(text)
		if err != nil {
			assert.Equal(t, errPayer, err)
			return
		}
		assert.LessOrEqual(t, len(got.Address), longestAddress)
		assert.Equal(t, 1, strings.Count(got.Address, "@"))
		assert.False(t, strings.ContainsFunc(got.Address, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`<>()[],;:\"`, r) }), "%q", got.Address)
		again, err := parsePayer(got.Address)
		require.NoError(t, err)
		assert.Equal(t, got, again)
	})
}
