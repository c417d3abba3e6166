package qfpayjsapi

import (
	"testing"
	"time"
)

// The simulator of most tests counts the calls of the gateway.
func init() { accountChecks.delay = -1 }

// CheckAccountsAtStart has accounts checked when a configuration is loaded in a test,
// as they are without tests, and without the delay.
func CheckAccountsAtStart(t testing.TB) {
	before := accountChecks.delay
	accountChecks.delay = 0
	t.Cleanup(func() { accountChecks.delay = before })
}

// Subdirectives are all that the grammar knows.
func Subdirectives() (names []string) {
	for _, setting := range new(Handler).settings() {
		names = append(names, setting.name)
	}
	return names
}

// GiveBodies sets how long bodies may take in a test.
func GiveBodies(t testing.TB, limit time.Duration) {
	before := bodyTime
	bodyTime = limit
	t.Cleanup(func() { bodyTime = before })
}

// CompareAt has the running configuration make the comparisons that are due at a
// time.
func CompareAt(t testing.TB, at time.Time) {
	t.Helper()
	app, err := activeApp()
	if err != nil {
		t.Fatal(err)
	}
	for _, work := range app.works {
		work.comparer.Now = func() time.Time { return at }
		work.comparer.Work(t.Context())
	}
}
