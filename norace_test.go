//go:build !race

package qfpayjsapi

// underRace says that the race detector watches.
const underRace = false
