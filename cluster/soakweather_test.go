package cluster

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

// changeWeather changes every few seconds what is wrong with the gateway, and
// leaves it in good order.
func (s *soak) changeWeather(storm context.Context) {
	dice := s.dice("weather")
	for more := true; more; more = pause(storm, between(dice, time.Second, 4*time.Second)) {
		s.gateway.ClearFaults()
		s.gateway.SetNotifications(dice.Float64() < 0.8)
		s.gateway.SetSlowRefunds(dice.Float64() < 0.2)
		if dice.Float64() < 0.2 {
			continue // the sun shines
		}
		for _, call := range []string{"openid", "payment", "query", "close", "refund"} {
			if dice.Float64() < 0.7 {
				s.gateway.Inject(badWeather(dice, call))
			}
		}
	}
	s.gateway.ClearFaults()
	s.gateway.SetNotifications(true)
	s.gateway.SetSlowRefunds(false)
}

// badWeather is a fault that hits some calls of a kind. None is a lie: a no is
// said only where nothing happened.
func badWeather(dice *rand.Rand, call string) qfpaytest.Fault {
	fault := qfpaytest.Fault{
		Call: call, Times: -1, Probability: 0.1 + dice.Float64()/2,
		Kind: oneOf(dice,
			qfpaytest.Delay, qfpaytest.DropBefore, qfpaytest.DropAfter, qfpaytest.Status5xx, qfpaytest.TooMany,
			qfpaytest.Garbage, qfpaytest.HTML, qfpaytest.Truncated, qfpaytest.Numbers, qfpaytest.BareRespcd,
			qfpaytest.Nulls, qfpaytest.MissingPayParams, qfpaytest.Respcd, qfpaytest.RespcdAfter),
		Delay: oneOf(dice, 0, 0, 100*time.Millisecond, time.Second, 3*time.Second) * haste,
	}
	switch fault.Kind {
	case qfpaytest.Respcd:
		fault.Respcd = oneOf(dice, "1100", "1145", "1298", "9999")
	case qfpaytest.RespcdAfter:
		fault.Respcd = oneOf(dice, "1145", "1298")
	}
	return fault
}

// refusesAtFirst makes the shop's program refuse some events once. More often
// would mean to wait for minutes.
func (s *soak) refusesAtFirst() func(id string) bool {
	dice := s.dice("program")
	refused := make(map[string]bool)
	return func(id string) bool {
		if refused[id] || dice.Float64() >= 0.1 {
			return false
		}
		refused[id] = true
		return true
	}
}
