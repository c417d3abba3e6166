package webhook

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func TestTheFirstAttemptIsDueAtOnce(t *testing.T) {
	due, ok := Next("01K5ORDER.paid", 1, noon)
	assert.True(t, ok)
	assert.Equal(t, noon, due)
}

func TestAttemptsSpreadOverAboutThreeDaysAndThenEnd(t *testing.T) {
	var planned time.Duration
	for _, wait := range waits {
		planned += wait
	}
	assert.Equal(t, 75*time.Hour+35*time.Minute+5*time.Second, planned)

	last := noon
	for n := 1; n <= Attempts; n++ {
		due, ok := Next("01K5ORDER.paid", n, last)
		require.True(t, ok, "attempt %d", n)
		last = due
	}
	assert.WithinDuration(t, noon.Add(planned), last, planned/10)

	_, ok := Next("01K5ORDER.paid", Attempts+1, last)
	assert.False(t, ok)
}

func TestThereIsNoAttemptBeforeTheFirst(t *testing.T) {
	for _, n := range []int{0, -1} {
		_, ok := Next("01K5ORDER.paid", n, noon)
		assert.False(t, ok)
	}
}

func TestJitterStaysWithinATenthAndUsesAllOfIt(t *testing.T) {
	for n := 2; n <= Attempts; n++ {
		wait := waits[n-1]
		least, most := wait, wait
		for i := range 1000 {
			due, ok := Next(fmt.Sprintf("message-%d", i), n, noon)
			require.True(t, ok)
			least, most = min(least, due.Sub(noon)), max(most, due.Sub(noon))
		}
		assert.GreaterOrEqual(t, least, wait-wait/10)
		assert.LessOrEqual(t, most, wait+wait/10)
		assert.Less(t, least, wait-wait*9/100, "attempt %d", n)
		assert.Greater(t, most, wait+wait*9/100, "attempt %d", n)
	}
}

func TestARestartComesToTheSameMoment(t *testing.T) {
	due, _ := Next("01K5ORDER.paid", 3, noon)
	again, _ := Next("01K5ORDER.paid", 3, noon)
	assert.Equal(t, due, again)
	assert.Equal(t, "2026-11-23T12:04:41Z", due.Format(time.RFC3339), "as every release before computed it")

	other, _ := Next("01K5OTHER.paid", 3, noon)
	assert.NotEqual(t, due, other)
}
