//go:build race

package qfpayjsapi

import (
	"flag"

	_ "pgregory.net/rapid" // whose flag it is
)

// underRace says that the race detector watches, under which the database is about
// ten times slower.
const underRace = true

func init() {
	if err := flag.Set("rapid.checks", "5"); err != nil {
		panic(err)
	}
}
