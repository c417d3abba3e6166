package mail

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEveryoneIsToldOfWhatConcernsThem(t *testing.T) {
	m, err := New(Config{URL: "smtp://localhost", From: "shop@example.com", To: []string{"a@example.com", "b@example.com"}, Receipt: "email"})
	require.NoError(t, err)
	var owners []string
	for _, e := range m.Endpoints()[:2] {
		owners = append(owners, e.ID())
	}
	for kind, withPayer := range map[string]bool{KindPaid: true, KindDisputed: false, KindOrphaned: false, KindStuck: false, KindCompared: false, KindGaveUp: false} {
		want := owners
		if withPayer {
			want = append(want[:2:2], "mail-payer")
		}
		assert.Equal(t, want, m.EndpointsFor(kind, "payer@example.com"), kind)
		assert.Equal(t, owners, m.EndpointsFor(kind, "nobody"), kind)
	}
	assert.Equal(t, []string{"mail-payer"}, m.EndpointsFor(KindFulfilled, "payer@example.com"))
	assert.Empty(t, m.EndpointsFor("order.closed", "payer@example.com"))
}

func TestAnEndpointIsCalledTheSameWhateverTheServer(t *testing.T) {
	ids := func(url, to string) (ids []string) {
		m, err := New(Config{URL: "smtp://" + "localhost", From: "shop@example.com", To: []string{to}, Receipt: url})
		require.NoError(t, err)
		for _, e := range m.Endpoints() {
			ids = append(ids, e.ID())
			assert.Regexp(t, `^mail-([0-9a-f]{8}|payer)$`, e.ID())
		}
		return ids
	}
	assert.Equal(t, ids("email", "owner@example.com"), ids("mail", "Owner <OWNER@example.com>"))
	assert.NotEqual(t, ids("email", "owner@example.com"), ids("email", "other@example.com"))
}

func TestAMistakeInTheSettingsIsNamedWithoutAddresses(t *testing.T) {
	good := Config{URL: "smtp://localhost", From: "shop@example.com", To: []string{"owner@example.com"}}
	for want, change := range map[string]func(*Config){
		"from: " + errAddress.Error():              func(c *Config) { c.From = "SENTINEL" },
		errNotURL.Error():                          func(c *Config) { c.URL = "SENTINEL" },
		"to: needs 1 to 10 addresses of the owner": func(c *Config) { c.To = nil },
		"to[1]: " + errAddress.Error():             func(c *Config) { c.To = append(c.To, "SENTINEL@") },
		"to[1]: the same address is given twice":   func(c *Config) { c.To = append(c.To, "Me <OWNER@example.com>") },
	} {
		config := good
		config.To = append([]string(nil), good.To...)
		change(&config)
		_, err := New(config)
		assert.EqualError(t, err, want)
	}
	for i := range MaxTo {
		good.To = append(good.To, fmt.Sprintf("owner%d@example.com", i))
	}
	_, err := New(good)
	assert.Error(t, err, "too many")
}

func TestAnEndpointsNameShowsNoAddress(t *testing.T) {
	m, err := New(Config{URL: "smtp://user:pass@mail.example.com", From: "shop@example.com", To: []string{"owner@example.com"}, Receipt: "email"})
	require.NoError(t, err)
	assert.Equal(t, "mail to the owner by mail.example.com:587", m.Endpoints()[0].String())
	assert.Equal(t, "mail to the payer by mail.example.com:587", m.Endpoints()[1].String())
}

func TestAttemptsAreSpreadOverADay(t *testing.T) {
	at, last := happenedAt, happenedAt
	for n := 1; ; n++ {
		due, ok := Next(n, at)
		if !ok {
			assert.Equal(t, Attempts+1, n)
			break
		}
		assert.GreaterOrEqual(t, due.Sub(at), at.Sub(last)/2, "waits grow")
		last, at = at, due
	}
	assert.Greater(t, at.Sub(happenedAt), 23*time.Hour)
	assert.Less(t, at.Sub(happenedAt), Span)
	_, ok := Next(0, at)
	assert.False(t, ok)
}

func TestALineIsOneLineOfWhatCanBeSeen(t *testing.T) {
	assert.Equal(t, "a b c", line(" a\r\nb\t\u2028c\x00 ", 100))
	assert.Equal(t, "長", line("長長", 5))
	assert.Equal(t, "\uFFFD", line("\xff", 5))
	assert.Equal(t, "a\nb\n\nc", prose("a\r\nb\r\rc\x07"))
	assert.Len(t, prose(strings.Repeat("a", 9000)), longestValue)
}
