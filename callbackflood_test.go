package qfpayjsapi_test

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// from is a payer in WeChat at an address.
func (s *shop) from(address string) *payer { return s.payer(wechat).with("X-Forwarded-For", address) }

// crowd is many at one address who come back from WeChat at once, while the gateway
// takes long. So many reach it. It returns what all were told, first those whom it
// was not asked about.
func (s *shop) crowd(address string, count, reach int, codes string) (told []reply) {
	s.t.Helper()
	payers, callbacks := make([]*payer, count), make([]string, count)
	for i := range payers {
		payers[i] = s.from(address)
		callbacks[i] = payers[i].authorize("/pay/cat-food") + codes
	}
	through := s.held.hold("/tool/v1/get_weixin_openid")
	defer through()
	answers := make(chan reply, count)
	for i, payer := range payers {
		go func() { answers <- payer.get(callbacks[i]) }()
	}
	for range count - reach { // whom the gateway is not asked about
		select {
		case answer := <-answers:
			told = append(told, answer)
		case <-time.After(10 * time.Second):
			s.t.Fatal("too many are at the gateway")
		}
	}
	s.eventually("the others are at the gateway", func() bool { return int(s.held.waiting.Load()) == reach })
	through()
	for range reach {
		told = append(told, <-answers)
	}
	return told
}

// statuses counts answers by their status.
func statuses(answers []reply) map[int]int {
	counts := map[int]int{}
	for _, answer := range answers {
		counts[answer.status]++
	}
	return counts
}

// mustWait is how many seconds an answer asks to wait.
func mustWait(t *testing.T, answer reply) int {
	t.Helper()
	assert.Equal(t, http.StatusTooManyRequests, answer.status)
	seconds, err := strconv.Atoi(answer.header.Get("Retry-After"))
	require.NoError(t, err)
	return seconds
}

const madeUp = "x" // behind a code

// What comes before the gateway has refused anything of an address cannot be told
// from payers who share it.
func TestMadeUpCodesAtOnceLockAnAddressOutForThreeMinutesAtMost(t *testing.T) {
	for name, test := range map[string]struct{ before, reach int }{
		"after one was refused":     {before: 1, reach: 30},
		"before the first is known": {before: 0, reach: 100},
	} {
		t.Run(name, func(t *testing.T) {
			shop := openShop(t, withTrustedProxy, withTimeout("20s"))
			for range test.before {
				flooding := shop.from("192.0.2.1")
				flooding.get(flooding.authorize("/pay/cat-food") + madeUp)
			}
			told := shop.crowd("192.0.2.1", 100, test.reach, madeUp)
			assert.Equal(t, 100-test.reach, statuses(told)[http.StatusTooManyRequests])
			for _, turnedAway := range told[:100-test.reach] {
				assert.LessOrEqual(t, mustWait(t, turnedAway), 2, "for one of the others to end")
			}
			calls := shop.gateway.Calls("openid")
			assert.Equal(t, test.before+test.reach, calls)

			beside := shop.from("192.0.2.1")
			assert.LessOrEqual(t, mustWait(t, beside.get(beside.authorize("/pay/cat-food"))), 180)
			assert.Equal(t, calls, shop.gateway.Calls("openid"))
			shop.from("192.0.2.2").prepare("/pay/cat-food")
		})
	}
}

func TestManyPayersAtOneAddressPayAtOnce(t *testing.T) {
	shop := openShop(t, withTrustedProxy, withTimeout("20s"))
	assert.Equal(t, map[int]int{http.StatusFound: 200}, statuses(shop.crowd("192.0.2.1", 200, 200, "")))
	assert.Equal(t, 200, shop.payable())

	wrong := shop.from("192.0.2.1")
	wrong.get(wrong.authorize("/pay/cat-food") + madeUp)
	assert.Equal(t, map[int]int{http.StatusFound: 30}, statuses(shop.crowd("192.0.2.1", 30, 30, "")), "also after one went back to an old page")
}
