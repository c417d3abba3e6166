package cluster

import (
	"context"
	"flag"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

var (
	soakFor  = flag.Duration("soak", 8*time.Second, "how long a soak goes on before the books are compared")
	soakRate = flag.String("soak.rate", "", "calls to the gateway in a minute that payers cause, such as 400/min; default: one soak at the gateway's limit and one far above it")
	soakSeed = flag.Uint64("soak.seed", 0, "where all choices of a soak come from; 0 is a new one")
)

// Calls to the gateway in a minute.
const (
	atTheLimit    = 400 // of the gateway, which the simulator enforces
	aboveTheLimit = 4000
)

// Payers come at a rate for a while, in which everything goes wrong: the
// gateway fails and is slow, notifications are lost, late and doubled, the
// shop's program refuses, money goes back, nodes are reloaded and killed, PostgreSQL
// is restarted and loses its connections. Then
// all is well again, and when nothing is left to do, the gateway, the ledger,
// the shop's program and the metrics say the same, to the cent.
//
// All choices come from a seed. What cannot be repeated is timing.
func TestSoak(t *testing.T) {
	t.Parallel()
	for _, rate := range soakRates(t) {
		t.Run(fmt.Sprintf("%d calls a minute", rate), func(t *testing.T) {
			t.Parallel()
			s := openSoak(t, rate)
			storm, over := context.WithTimeout(t.Context(), *soakFor)
			defer over()
			crowd := s.admitPayers(storm)
			s.others.Go(func() { s.changeWeather(storm) })
			s.others.Go(func() { s.refundAtRandom(storm, s.dice("owner"), &s.others) })
			s.disturb(storm)
			crowd.Wait()
			s.others.Wait()
			s.settleDown()
			s.compareBooks()
		})
	}
}

func soakRates(t *testing.T) []int {
	t.Helper()
	if *soakRate == "" {
		return []int{atTheLimit, aboveTheLimit}
	}
	rate, err := strconv.Atoi(strings.TrimSuffix(*soakRate, "/min"))
	require.NoError(t, err, "-soak.rate is a number of calls, such as 400/min")
	require.Positive(t, rate, "-soak.rate")
	return []int{rate}
}

// soak is a cluster in a storm.
type soak struct {
	*cluster
	t     *testing.T
	seed  uint64
	rate  int
	post  *post
	lives []*life // of the nodes, in the order of their beginnings

	outages []time.Time // when PostgreSQL went away for a moment

	others crew // all that goes on beside the payers
}

// orderTTL is the least that there is.
const orderTTL = time.Minute

func openSoak(t *testing.T, rate int) *soak {
	t.Helper()
	s := &soak{t: t, rate: rate, seed: *soakSeed}
	if s.seed == 0 {
		s.seed = rand.Uint64()
	}
	t.Logf("seed %d; the same choices once more: go test -race -count=1 -timeout 2h -v -run '^TestSoak$' -soak=%s -soak.rate=%d/min -soak.seed=%d",
		s.seed, *soakFor, rate, s.seed)
	s.post = newPost(s.dice("post"))
	s.cluster = openCluster(t, withNotifications, withHaste, func(c *qfpaytest.Config) {
		c.Seed, c.NoRateLimit, c.Client = s.seed, false, s.post.client()
	})
	t.Cleanup(s.post.close)
	s.front.throw(s.dice("front"))
	s.program.refuses = s.refusesAtFirst()
	s.more = fmt.Sprintf(`
		timeout 2s
		order_ttl %s
		item dog-treats 45.50
		item bird-seed 9.90
		item fish {
			price 19.90
			max_quantity 9
		}`, orderTTL)
	for _, n := range s.front.nodes {
		s.beginLife(n)
		n.configure(s.caddyfile(n))
		n.reload()
	}
	return s
}

// dice are those of one who makes choices: with the same seed, they fall the
// same.
func (s *soak) dice(who string) *rand.Rand {
	h := fnv.New64()
	_, _ = h.Write([]byte(who))
	return rand.New(rand.NewPCG(s.seed, h.Sum64()))
}

// oneOf is one of several values.
func oneOf[T any](dice *rand.Rand, values ...T) T { return values[dice.IntN(len(values))] }

// between is a time from one to another.
func between(dice *rand.Rand, least, most time.Duration) time.Duration {
	return least + time.Duration(dice.Int64N(int64(most-least)))
}

// pause waits, and reports whether the storm goes on.
func pause(storm context.Context, wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-storm.Done():
		return false
	}
}
