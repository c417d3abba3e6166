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
)

var (
	crashesEvery = flag.Int("crashes.every", 7, "of the points of the crash matrix, take every so many: 1 is all of them, and a multiple of 3 the same moment of every write")
	crashesFrom  = flag.Int("crashes.from", 0, "the first of these points, from 1; 0 is a new one each time")
)

// crashesAtOnce are clusters that live at once: most of their time they wait
// for the locks of the dead to expire.
const crashesAtOnce = 12

// A payment is made over and over, and one of the two nodes does all the work
// about it. Each time that one is killed at another write, before Redis has it,
// before the node hears that Redis did it, or after that, and stays dead. Payer,
// gateway and owner turn to the other node, which brings everything to its end.
//
// A write is a command to Redis, of which each Store and each Delete takes
// several: killed between them, a node leaves a fact in the list of a folder
// and nowhere else, or the other way round.
func TestKilledAtEveryWriteTheOtherNodeBringsThePaymentToItsEnd(t *testing.T) {
	points := crashPoints(t)
	from := *crashesFrom
	if from == 0 {
		from = 1 + rand.IntN(*crashesEvery)
	}
	t.Logf("the same points once more: go test -race -count=1 -v -run KilledAtEveryWriteTheOther -crashes.every=%d -crashes.from=%d", *crashesEvery, from)

	next := make(chan crash)
	var lanes sync.WaitGroup
	var stories, kills atomic.Int32
	for range crashesAtOnce {
		lanes.Go(func() {
			for point := range next {
				t.Run(point.String(), func(t *testing.T) {
					stories.Add(1)
					if survive(t, point) {
						kills.Add(1)
					}
				})
			}
		})
	}
	for i := from - 1; i < len(points); i += *crashesEvery {
		next <- points[i]
	}
	close(next)
	lanes.Wait()
	if !t.Failed() {
		assert.InEpsilon(t, stories.Load(), kills.Load(), 0.1, "how often the app writes varies a little")
	}
	t.Logf("%d points, of which %d were tried; %d kills", len(points), stories.Load(), kills.Load())
}

func (c crash) String() string { return fmt.Sprintf("%s, write %d, %s", c.chapter, c.write, c.at) }

// survive tells a story in which a node is killed, and reports whether it was.
func survive(t *testing.T, at crash) (killed bool) {
	way := theNotification
	if at.chapter == theReturn || at.chapter == theEnquiry {
		way = at.chapter
	}
	s := openStory(t, way, at)
	defer func() {
		if t.Failed() {
			t.Logf("this point alone: go test -race -count=1 -v -run KilledAtEveryWriteTheOther -crashes.every=100000 -crashes.from=%d; node one wrote in %s:\n%s",
				at.number, at.chapter, strings.Join(s.written[at.chapter], "\n"))
		}
	}()
	s.tell()
	s.compareBooks()
	return !s.one.alive()
}

// crashPoints counts the writes of undisturbed payments, one for each way in
// which the shop learns of them.
func crashPoints(t *testing.T) (points []crash) {
	t.Helper()
	written := make(map[chapter][]string)
	for _, way := range []chapter{theReturn, theEnquiry, theNotification} {
		t.Run("undisturbed, with "+string(way), func(t *testing.T) {
			s := openStory(t, way, crash{})
			s.tell()
			s.compareBooks()
			require.True(t, s.one.alive())
			require.Empty(t, s.callbacks, "an undisturbed payer comes to a pay page at once")
			maps.Copy(written, s.written)
		})
	}
	for _, chapter := range []chapter{theCallback, theNotification, theReturn, theEnquiry, theRefund} {
		require.Greater(t, len(written[chapter]), 6, "so many writes make %s", chapter)
		for i := range written[chapter] {
			for _, at := range []moment{beforeRedis, unanswered, answered} {
				points = append(points, crash{len(points) + 1, chapter, i + 1, at})
			}
		}
		t.Logf("%s:\n%s", chapter, strings.Join(written[chapter], "\n"))
	}
	return points
}
