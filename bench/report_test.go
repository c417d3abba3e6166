package main

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestClaimsAreMetAtTheTarget(t *testing.T) {
	for _, test := range []struct {
		name  string
		claim claim
		short bool
		want  []string
	}{
		{"the most", claim{what: "time", target: 1.01, most: true, value: 1.01, floor: 1}, false, []string{"time", "≤ 1.010 ×", "1.010 ×", "1.000 ×", "met"}},
		{"more than the most", claim{what: "time", target: 1.01, most: true, value: 1.0145, floor: 0.998}, false, []string{"time", "≤ 1.010 ×", "1.014 ×", "0.998 ×", "**not met**"}},
		{"the least", claim{what: "rate", target: 10, value: 31.2, floor: 1}, false, []string{"rate", "≥ 10.000 ×", "31 ×", "1.000 ×", "met"}},
		{"less than the least", claim{what: "rate", target: 0.85, value: 0.8, floor: 1}, false, []string{"rate", "≥ 0.850 ×", "0.800 ×", "1.000 ×", "**not met**"}},
		{"with a unit", claim{what: "memory", target: 1, most: true, value: 0.426, floor: -0.02, unit: "MB"}, false, []string{"memory", "≤ 1.00 MB", "0.43 MB", "-0.02 MB", "met"}},
		{"without a reference", claim{what: "list", target: 5, most: true, value: 0.7, floor: math.NaN(), unit: "ms"}, false, []string{"list", "≤ 5.00 ms", "0.70 ms", "–", "met"}},
		{"in the short form", claim{what: "rate", target: 10, value: 1, floor: 1}, true, []string{"rate", "≥ 10.000 ×", "1.000 ×", "1.000 ×", "not judged"}},
	} {
		t.Run(test.name, func(t *testing.T) { assert.Equal(t, test.want, test.claim.row(test.short)) })
	}
}

func TestTablesHaveAHead(t *testing.T) {
	assert.Equal(t, "| a | b |\n|---|---|\n| 1 | 2 |\n", table{{"a", "b"}, {"1", "2"}}.markdown())
}

func TestThousandsAreSetApart(t *testing.T) {
	for n, want := range map[int]string{10: "10", 999: "999", 1000: "1,000", 10_000: "10,000", 100_000: "100,000"} {
		assert.Equal(t, want, thousands(n))
	}
}
