package qfpayjsapi

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

// An agenda gives out what a list that is searched from end to end would.
func TestAnAgendaGivesOutWhatIsDueEarliestFirst(t *testing.T) {
	day := time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC)
	minute := rapid.Custom(func(t *rapid.T) time.Time {
		return day.Add(time.Duration(rapid.IntRange(0, 30).Draw(t, "minute")) * time.Minute)
	})
	subject := rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f", "g", "h"})
	rapid.Check(t, func(t *rapid.T) {
		due, want := newAgenda(), map[string]time.Time{}
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				subject, at := subject.Draw(t, "subject"), minute.Draw(t, "at")
				due.add(subject, at)
				if before, listed := want[subject]; !listed || at.Before(before) {
					want[subject] = at
				}
			},
			"take": func(t *rapid.T) {
				now := minute.Draw(t, "now")
				taken, any := due.take(now)
				if any {
					assert.False(t, now.Before(want[taken]), "it is due")
					for other, at := range want {
						assert.False(t, at.Before(want[taken]), "%s is earlier", other)
					}
					delete(want, taken)
					return
				}
				for left, at := range want {
					assert.True(t, now.Before(at), "%s is due", left)
				}
			},
			"": func(t *rapid.T) {
				for _, s := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
					_, listed := want[s]
					assert.Equal(t, listed, due.has(s))
				}
				first, any := due.first()
				assert.Equal(t, len(want) > 0, any)
				for _, at := range want {
					assert.False(t, at.Before(first))
				}
			},
		})
	})
}
