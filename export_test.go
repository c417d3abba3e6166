package qfpayjsapi

import (
	"context"
	"maps"
	"slices"
	"testing"
	"time"
)

// Trouble sets what the operations of a troubled storage meet.
func Trouble(root string, before func(ctx context.Context, operation, key string) error) {
	troubleAt(root).with(before)
}

// ForgetEnquiries forgets when this process last asked about orders.
func ForgetEnquiries() {
	accounts.Range(func(_, shared any) bool {
		asked := &shared.(*account).asked
		asked.mu.Lock()
		defer asked.mu.Unlock()
		clear(asked.times)
		return true
	})
}

// Subdirectives are all that the grammar knows.
func Subdirectives() []string {
	block := &blockParser{Handler: new(Handler)}
	return slices.Collect(maps.Keys(block.grammar()))
}

// GiveBodies sets how long bodies may take in a test.
func GiveBodies(t testing.TB, limit time.Duration) {
	before := bodyTime
	bodyTime = limit
	t.Cleanup(func() { bodyTime = before })
}
