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
)

func newSeal(t testing.TB, key string) *Seal {
	t.Helper()
	seal, err := NewSeal(key)
	require.NoError(t, err)
	return seal
}

func someTicket() Ticket {
	return Ticket{
		Order: NewOrder(noon),
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
	sealed, err := newSeal(t, "KEY").Close(ticket)
	require.NoError(t, err)
	opened, err := newSeal(t, "KEY").Open(ticket.Order, sealed)
	require.NoError(t, err)
	assert.Equal(t, ticket, opened)
}

func TestAFullCartWithLongNamesFitsIntoACookie(t *testing.T) {
	ticket := someTicket()
	ticket.Intent.Lines = nil
	for i := range MaxLines {
		name := fmt.Sprintf("第%d款 深海鱼油软胶囊 %d粒装 成人中老年护眼护脑 官方旗舰店正品 家庭装 🎁", i, 30*i)
		ticket.Intent.Lines = append(ticket.Intent.Lines, ledger.Line{Item: fmt.Sprintf("fish-oil-%d", i), Name: name, Quantity: i + 1, Price: int64(9900 + 100*i)})
	}
	seal := newSeal(t, "KEY")
	sealed, err := seal.Close(ticket)
	require.NoError(t, err)
	assert.LessOrEqual(t, len(sealed), MaxSealed)
	opened, err := seal.Open(ticket.Order, sealed)
	require.NoError(t, err)
	assert.Equal(t, ticket, opened)
}

func TestASealedTicketShowsNothing(t *testing.T) {
	sealed, err := newSeal(t, "KEY").Close(someTicket())
	require.NoError(t, err)
	assert.NotContains(t, sealed, "cat-food")
	assert.NotContains(t, sealed, "12800")
}

func TestForgedTicketsDoNotOpen(t *testing.T) {
	ticket := someTicket()
	seal := newSeal(t, "KEY")
	sealed, err := seal.Close(ticket)
	require.NoError(t, err)
	other, err := newSeal(t, "OTHER KEY").Close(ticket)
	require.NoError(t, err)
	for name, forged := range map[string]struct{ order, sealed string }{
		"one letter changed":      {ticket.Order, flip(sealed, 20)},
		"the last letter changed": {ticket.Order, flip(sealed, len(sealed)-1)},
		"cut short":               {ticket.Order, sealed[:len(sealed)-4]},
		"empty":                   {ticket.Order, ""},
		"not base64":              {ticket.Order, "!" + sealed[1:]},
		"sealed with another key": {ticket.Order, other},
		"of another order":        {NewOrder(noon), sealed},
		"of no order":             {"", sealed},
		"order in other letters":  {strings.ToLower(ticket.Order), sealed},
		"far too long":            {ticket.Order, strings.Repeat("A", 1<<20)},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := seal.Open(forged.order, forged.sealed)
			assert.ErrorIs(t, err, ErrForged)
		})
	}
}

func TestATicketThatNoCookieHoldsIsRefused(t *testing.T) {
	ticket := someTicket()
	for range 200 {
		ticket.Intent.Description += rand.Text() // of which nothing can be said in fewer letters
	}
	_, err := newSeal(t, "KEY").Close(ticket)
	assert.ErrorContains(t, err, "cookie")
}

func TestATicketExpiresExactlyAfterItsTime(t *testing.T) {
	ticket := someTicket()
	assert.False(t, ticket.Expired(noon.Add(15*time.Minute-1), 15*time.Minute))
	assert.True(t, ticket.Expired(noon.Add(15*time.Minute), 15*time.Minute))
}

func TestTheSameThingIsTheSameItemsAtTheSamePriceForTheSameReference(t *testing.T) {
	base := someTicket().Intent
	later, dearer, more, referred := base, base, base, base
	later.At = noon.Add(time.Minute)
	dearer.Amount++
	more.Lines = []ledger.Line{{Item: "cat-food", Name: "Cat food 猫粮", Quantity: 2, Price: 6400}}
	referred.Ref = "R"
	assert.True(t, SameThing(base, later))
	assert.False(t, SameThing(base, dearer))
	assert.False(t, SameThing(base, more))
	assert.False(t, SameThing(base, referred))
}

func TestNewestFirst(t *testing.T) {
	old, young := Ticket{Intent: ledger.Intent{At: noon}}, Ticket{Intent: ledger.Intent{At: noon.Add(1)}}
	tickets := []Ticket{old, young}
	NewestFirst(tickets)
	assert.Equal(t, []Ticket{young, old}, tickets)
}

func TestOrderIDsHaveOneSpelling(t *testing.T) {
	order := NewOrder(noon)
	assert.Len(t, order, 26)
	assert.True(t, IsOrder(order))
	assert.False(t, IsOrder(strings.ToLower(order)))
	assert.False(t, IsOrder(order+"0"))
	assert.False(t, IsOrder("../../../../../../etc/pass"))
	assert.False(t, IsOrder(""))
	assert.NotEqual(t, order, NewOrder(noon))
}

func flip(s string, at int) string {
	letter := byte('A')
	if s[at] == letter {
		letter = 'B'
	}
	return s[:at] + string(letter) + s[at+1:]
}

func FuzzOpen(f *testing.F) {
	seal := newSeal(f, "KEY")
	ticket := someTicket()
	sealed, err := seal.Close(ticket)
	require.NoError(f, err)
	f.Add(ticket.Order, sealed)
	f.Add(ticket.Order, sealed[:10])
	f.Add("", "")
	f.Fuzz(func(t *testing.T, order, forged string) {
		opened, err := seal.Open(order, forged)
		if err != nil {
			require.ErrorIs(t, err, ErrForged)
			return
		}
		require.Equal(t, order, opened.Order)
	})
}
