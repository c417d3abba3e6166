package checkout

import (
	"crypto/rand"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/shop"
)

var noon = time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)

const site Origin = "https://shop.example"

func newSeal(t testing.TB, key, shop, path string) *Seal {
	t.Helper()
	seal, err := NewSeal(key, shop, path)
	require.NoError(t, err)
	return seal
}

func someTicket() Ticket {
	return Ticket{
		Order: ledger.NewID(noon),
		Intent: ledger.Intent{
			At:     noon,
			Lines:  []ledger.Line{{Item: "cat-food", Name: "Cat food 猫粮", Quantity: 1, Price: 12800}},
			Amount: 12800, Currency: "HKD", Description: "Cat food 猫粮",
		},
		Restarted: true,
	}
}

func TestATicketComesBackAsItWasOnEveryNodeWithTheKey(t *testing.T) {
	ticket := someTicket()
	sealed, err := newSeal(t, "KEY", "harbour-pets", "/pay").Close(site, ticket)
	require.NoError(t, err)
	opened, err := newSeal(t, "KEY", "harbour-pets", "/pay").Open(site, ticket.Order, sealed)
	require.NoError(t, err)
	assert.Equal(t, ticket, opened)
}

func TestAFullCartWithLongNamesFitsIntoACookie(t *testing.T) {
	ticket := someTicket()
	ticket.Intent.Lines = nil
	for i := range shop.MaxLines {
		name := fmt.Sprintf("第%d款 深海鱼油软胶囊 %d粒装 成人中老年护眼护脑 官方旗舰店正品 家庭装 🎁", i, 30*i)
		ticket.Intent.Lines = append(ticket.Intent.Lines, ledger.Line{Item: fmt.Sprintf("fish-oil-%d", i), Name: name, Quantity: i + 1, Price: int64(9900 + 100*i)})
	}
	seal := newSeal(t, "KEY", "harbour-pets", "/pay")
	sealed, err := seal.Close(site, ticket)
	require.NoError(t, err)
	assert.LessOrEqual(t, len(sealed), MaxSealed)
	opened, err := seal.Open(site, ticket.Order, sealed)
	require.NoError(t, err)
	assert.Equal(t, ticket, opened)
}

func TestASealedTicketShowsNothing(t *testing.T) {
	sealed, err := newSeal(t, "KEY", "harbour-pets", "/pay").Close(site, someTicket())
	require.NoError(t, err)
	assert.NotContains(t, sealed, "cat-food")
	assert.NotContains(t, sealed, "12800")
}

func TestForgedTicketsDoNotOpen(t *testing.T) {
	ticket := someTicket()
	seal := newSeal(t, "KEY", "harbour-pets", "/pay")
	sealed, err := seal.Close(site, ticket)
	require.NoError(t, err)
	other, err := newSeal(t, "OTHER KEY", "harbour-pets", "/pay").Close(site, ticket)
	require.NoError(t, err)
	for name, forged := range map[string]struct{ order, sealed string }{
		"one letter changed":      {ticket.Order, flip(sealed, 20)},
		"the last letter changed": {ticket.Order, flip(sealed, len(sealed)-1)},
		"cut short":               {ticket.Order, sealed[:len(sealed)-4]},
		"empty":                   {ticket.Order, ""},
		"not base64":              {ticket.Order, "!" + sealed[1:]},
		"sealed with another key": {ticket.Order, other},
		"of another order":        {ledger.NewID(noon), sealed},
		"of no order":             {"", sealed},
		"order in other letters":  {strings.ToLower(ticket.Order), sealed},
		"far too long":            {ticket.Order, strings.Repeat("A", 1<<20)},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := seal.Open(site, forged.order, forged.sealed)
			assert.ErrorIs(t, err, ErrForged)
		})
	}
}

// Shops may share an account and its client_key. A cheap order of one must not buy
// a dear thing at another.
func TestWhatOneBlockSealedOpensAtNoOther(t *testing.T) {
	ticket := someTicket()
	handoff := Handoff{Order: ticket.Order, Link: "/cat-food", Amount: 12800}
	seal := newSeal(t, "KEY", "harbour-pets", "/pay")
	sealed, err := seal.Close(site, ticket)
	require.NoError(t, err)
	text, err := seal.CloseHandoff(site, handoff)
	require.NoError(t, err)
	for name, other := range map[string]struct {
		shop, path string
		site       Origin
	}{
		"another shop":                   {"peak-pets", "/pay", site},
		"another path":                   {"harbour-pets", "/give", site},
		"another site":                   {"harbour-pets", "/pay", "https://www.shop.example"},
		"the same site over http":        {"harbour-pets", "/pay", "http://shop.example"},
		"another border between the two": {"harbour-pets" + string(site), "/pay", ""},
	} {
		t.Run(name, func(t *testing.T) {
			foreign := newSeal(t, "KEY", other.shop, other.path)
			_, err := foreign.Open(other.site, ticket.Order, sealed)
			assert.ErrorIs(t, err, ErrForged)
			_, err = foreign.OpenHandoff(other.site, text)
			assert.ErrorIs(t, err, ErrForged)
		})
	}
}

func TestStatesAndFormsOfOneShopAreWorthNothingAtAnother(t *testing.T) {
	order := ledger.NewID(noon)
	here, there := newSeal(t, "KEY", "harbour-pets", "/pay"), newSeal(t, "KEY", "peak-pets", "/pay")
	assert.True(t, newSeal(t, "KEY", "harbour-pets", "/give").IsState(order, here.State(order)))
	assert.False(t, there.IsState(order, here.State(order)))
	assert.True(t, here.IsForm(here.Form("refund", order), "refund", order))
	assert.False(t, here.IsForm(here.Form("refund", order), "refund"+order))
	assert.False(t, there.IsForm(here.Form("refund", order), "refund", order))
}

func TestAStateOrFormTokenThatDiffersAnywhereIsRefused(t *testing.T) {
	order := ledger.NewID(noon)
	seal := newSeal(t, "KEY", "harbour-pets", "/pay")
	for name, test := range map[string]struct {
		token string
		valid func(token string) bool
	}{
		"state": {seal.State(order), func(token string) bool { return seal.IsState(order, token) }},
		"form":  {seal.Form("refund", order), func(token string) bool { return seal.IsForm(token, "refund", order) }},
	} {
		t.Run(name, func(t *testing.T) {
			require.True(t, test.valid(test.token))
			for i := range test.token {
				other := "0"
				if test.token[i] == '0' {
					other = "1"
				}
				assert.False(t, test.valid(test.token[:i]+other+test.token[i+1:]), "at %d", i)
				assert.False(t, test.valid(test.token[:i]), "its first %d", i)
				assert.False(t, test.valid(test.token[i+1:]), "without its first %d", i+1)
			}
			for _, wrong := range []string{test.token + "0", test.token + test.token, " " + test.token, strings.ToUpper(test.token)} {
				assert.False(t, test.valid(wrong), wrong)
			}
		})
	}
}

func TestJoinedPartsKeepTheirBorders(t *testing.T) {
	seen := map[string][]string{}
	for _, parts := range [][]string{{}, {""}, {"", ""}, {"a", "b"}, {"ab"}, {"ab", ""}, {"", "ab"}, {"1:a"}, {"a", "1:b"}, {"a1:b"}} {
		joined := string(bind(parts...))
		assert.NotContains(t, seen, joined, "%q and %q", parts, seen[joined])
		seen[joined] = parts
	}
}

func TestATicketThatNoCookieHoldsIsRefused(t *testing.T) {
	ticket := someTicket()
	for range 200 {
		ticket.Intent.Description += rand.Text() // of which nothing can be said in fewer letters
	}
	_, err := newSeal(t, "KEY", "harbour-pets", "/pay").Close(site, ticket)
	assert.ErrorContains(t, err, "cookie")
}

func TestATicketExpiresExactlyAfterItsTime(t *testing.T) {
	ticket := someTicket()
	assert.False(t, ticket.Expired(noon.Add(15*time.Minute-1), 15*time.Minute))
	assert.True(t, ticket.Expired(noon.Add(15*time.Minute), 15*time.Minute))
}

func TestAnOrderIsLikeAnotherOnlyIfThePayerSaidTheSame(t *testing.T) {
	base := someTicket()
	base.RealName = &RealName{"陈大文", "11010519491231002X"}
	base.Intent.Fields = ledger.Fields{"note": {"ring twice"}}
	base.Intent.Invoice = &ledger.Invoice{ID: "inv-7"}
	for name, test := range map[string]struct {
		change func(*Ticket)
		like   bool
	}{
		"a moment later":          {func(t *Ticket) { t.Intent.At = noon.Add(time.Minute) }, true},
		"in another language":     {func(t *Ticket) { t.Intent.Locale = "th" }, true},
		"the same name once more": {func(t *Ticket) { t.RealName = &RealName{"陈大文", "11010519491231002X"} }, true},
		"another price":           {func(t *Ticket) { t.Intent.Amount++ }, false},
		"another currency":        {func(t *Ticket) { t.Intent.Currency = "JPY" }, false},
		"another quantity":        {func(t *Ticket) { t.Intent.Lines = []ledger.Line{{Item: "cat-food", Quantity: 2, Price: 6400}} }, false},
		"another reference":       {func(t *Ticket) { t.Intent.Ref = "R" }, false},
		"another text":            {func(t *Ticket) { t.Intent.Description = "Vet visit" }, false},
		"another invoice":         {func(t *Ticket) { t.Intent.Invoice = &ledger.Invoice{ID: "inv-8"} }, false},
		"another note":            {func(t *Ticket) { t.Intent.Fields = ledger.Fields{"note": {"ring once"}} }, false},
		"one field more":          {func(t *Ticket) { t.Intent.Fields = ledger.Fields{"note": {"ring twice"}, "name": {"Ann"}} }, false},
		"no note":                 {func(t *Ticket) { t.Intent.Fields = nil }, false},
		"another name":            {func(t *Ticket) { t.RealName = &RealName{"陈大明", "11010519491231002X"} }, false},
		"another card":            {func(t *Ticket) { t.RealName = &RealName{"陈大文", "440524188001010014"} }, false},
		"no name":                 {func(t *Ticket) { t.RealName = nil }, false},
	} {
		other := base
		test.change(&other)
		assert.Equal(t, test.like, base.IsLike(other), name)
		assert.Equal(t, test.like, other.IsLike(base), name)
	}
}

func TestNewestFirst(t *testing.T) {
	old, young := Ticket{Intent: ledger.Intent{At: noon}}, Ticket{Intent: ledger.Intent{At: noon.Add(1)}}
	tickets := []Ticket{old, young}
	NewestFirst(tickets)
	assert.Equal(t, []Ticket{young, old}, tickets)
}

func TestAHandoffOpensOnlyUnderItsOwnOrder(t *testing.T) {
	seal := newSeal(t, "KEY", "harbour-pets", "/pay")
	handoff := Handoff{Order: ledger.NewID(noon), Link: "/cat-food?quantity=2", Amount: 25600, Fields: ledger.Fields{"name": {"陈"}, "extra": {"a", "b"}}}
	text, err := seal.CloseHandoff(site, handoff)
	require.NoError(t, err)
	opened, err := seal.OpenHandoff(site, text)
	require.NoError(t, err)
	assert.Equal(t, handoff, opened)

	_, sealed, _ := strings.Cut(text, ".")
	ticket, err := seal.Close(site, Ticket{Order: handoff.Order})
	require.NoError(t, err)
	for name, forged := range map[string]string{
		"another order": ledger.NewID(noon) + "." + sealed, "no order": "." + sealed, "nothing": "",
		"a ticket": handoff.Order + "." + ticket, "changed": flip(text, 40),
	} {
		_, err := seal.OpenHandoff(site, forged)
		assert.ErrorIs(t, err, ErrForged, name)
	}
	_, err = seal.Open(site, handoff.Order, sealed)
	assert.ErrorIs(t, err, ErrForged, "a handoff is no ticket")
}

func flip(s string, at int) string {
	letter := byte('A')
	if s[at] == letter {
		letter = 'B'
	}
	return s[:at] + string(letter) + s[at+1:]
}

func FuzzOpen(f *testing.F) {
	seal := newSeal(f, "KEY", "harbour-pets", "/pay")
	ticket := someTicket()
	sealed, err := seal.Close(site, ticket)
	require.NoError(f, err)
	f.Add(ticket.Order, sealed)
	f.Add(ticket.Order, sealed[:10])
	f.Add("", "")
	f.Fuzz(func(t *testing.T, order, forged string) {
		opened, err := seal.Open(site, order, forged)
		if err != nil {
			require.ErrorIs(t, err, ErrForged)
			return
		}
		require.Equal(t, order, opened.Order)
	})
}
