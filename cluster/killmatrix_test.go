package cluster

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/postgrestest"
)

var (
	killsEvery = flag.Int("kills.every", 7, "of the points of the kill matrix, take every so many: 1 is all of them")
	killsFrom  = flag.Int("kills.from", 0, "the first of these points, from 1; 0 is a new one each time")
)

// killsAtOnce are stories that are told at once: most of their time they wait for
// the leases of the dead to end.
const killsAtOnce = 12

// A payment is made over and over, and each time the node that does all the work
// is killed at another step on its ledger or another call to the gateway: before
// it, in the middle of the transaction, or after it and before anybody heard of
// that. On SQLite it is started again, on PostgreSQL another node, which slept until
// then, goes on alone.
func TestKilledAtAnyStepAPaymentIsNeitherLostNorDoubled(t *testing.T) {
	t.Parallel()
	t.Run("alone on SQLite", func(t *testing.T) {
		t.Parallel()
		killEverywhere(t, nil)
	})
	t.Run("one of two on PostgreSQL", func(t *testing.T) {
		t.Parallel()
		killEverywhere(t, postgrestest.Start(t))
	})
}

// killEverywhere goes through the points of one engine: SQLite without a server.
func killEverywhere(t *testing.T, server *postgrestest.Server) {
	points := killPoints(t, server)
	from := *killsFrom
	if from == 0 {
		from = 1 + rand.IntN(*killsEvery)
	}
	t.Logf("the same points once more: go test -count=1 -v -run '^%s$' . -kills.every=%d -kills.from=%d", strings.ReplaceAll(t.Name(), "/", "$/^"), *killsEvery, from)

	next := make(chan kill)
	var lanes sync.WaitGroup
	var stories, kills atomic.Int32
	for range killsAtOnce {
		lanes.Go(func() {
			for point := range next {
				t.Run(point.String(), func(t *testing.T) {
					stories.Add(1)
					if survive(t, server, point) {
						kills.Add(1)
					}
				})
			}
		})
	}
	for i := from - 1; i < len(points); i += *killsEvery {
		next <- points[i]
	}
	close(next)
	lanes.Wait()
	if !t.Failed() && stories.Load() > 0 {
		assert.InEpsilon(t, stories.Load(), kills.Load(), 0.1, "how often a node has work to do varies a little")
	}
	t.Logf("%d points, of which %d were tried; %d kills", len(points), stories.Load(), kills.Load())
}

func (k kill) String() string { return fmt.Sprintf("%s, act %d, %s", k.chapter, k.act, k.at) }

// survive tells a story in which a node is killed, and reports whether it was.
func survive(t *testing.T, server *postgrestest.Server, at kill) (killed bool) {
	way := theNotification
	if at.chapter == theReturn || at.chapter == theEnquiry || at.chapter == theEnd {
		way = at.chapter
	}
	s := openStory(t, server, way, at)
	defer func() {
		if t.Failed() {
			t.Logf("this point alone: -kills.every=100000 -kills.from=%d; what node one did in %s:\n%s",
				at.number, at.chapter, strings.Join(s.acts[at.chapter], "\n"))
		}
	}()
	s.tell()
	s.check()
	return s.deaths > 0 || !s.one.alive()
}

// killPoints counts what a node does in undisturbed payments, one for each way in
// which they end.
func killPoints(t *testing.T, server *postgrestest.Server) (points []kill) {
	t.Helper()
	acts := make(map[chapter][]string)
	for _, way := range []chapter{theReturn, theEnquiry, theEnd, theNotification} {
		t.Run("undisturbed, with "+string(way), func(t *testing.T) {
			s := openStory(t, server, way, kill{})
			s.tell()
			s.check()
			require.True(t, s.one.alive())
			require.Zero(t, s.deaths)
			require.Empty(t, s.callbacks, "an undisturbed payer comes to a pay page at once")
			maps.Copy(acts, s.acts)
		})
	}
	for _, chapter := range []chapter{theCallback, theNotification, theReturn, theEnquiry, theRefund, theEnd} {
		require.GreaterOrEqual(t, len(acts[chapter]), 3, "so much is done in %s", chapter)
		for i, act := range acts[chapter] {
			moments := []moment{beforeIt, uncommitted, afterIt}
			if strings.HasPrefix(act, callAct) {
				moments = []moment{beforeIt, afterIt}
			}
			for _, at := range moments {
				points = append(points, kill{len(points) + 1, chapter, i + 1, at})
			}
		}
		t.Logf("%s:\n%s", chapter, strings.Join(acts[chapter], "\n"))
	}
	return points
}
