package main

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEveryoneIsFirstAndLastEquallyOften(t *testing.T) {
	all := []string{"a", "b", "c"}
	first, last := map[string]int{}, map[string]int{}
	for round := range 2 * len(all) {
		order := inTurn(all, round)
		require.ElementsMatch(t, all, order)
		first[order[0]]++
		last[order[2]]++
	}
	assert.Equal(t, map[string]int{"a": 2, "b": 2, "c": 2}, first)
	assert.Equal(t, map[string]int{"a": 2, "b": 2, "c": 2}, last)
	assert.Equal(t, []string{"a", "b", "c"}, all, "the contenders themselves stay in order")
}

func TestWarmUpsAreRunAndNotCounted(t *testing.T) {
	runs := 0
	c := &contender{turn: func() (figures, error) { runs++; return figures{rate: float64(runs)}, nil }}
	require.NoError(t, alternate(3, 2, []*contender{c}))
	assert.Equal(t, 5, runs)
	assert.Equal(t, []figures{{rate: 3}, {rate: 4}, {rate: 5}}, c.turns)
}

func TestSlowContendersTakePartInSomeRounds(t *testing.T) {
	turn := func() (figures, error) { return figures{}, nil }
	often, rarely := &contender{turn: turn}, &contender{turn: turn, every: 3}
	require.NoError(t, alternate(7, 1, []*contender{often, rarely}))
	assert.Len(t, often.turns, 7)
	assert.Len(t, rarely.turns, 3)
}

func TestTheFirstFailureEndsTheTurns(t *testing.T) {
	wrong := errors.New("wrong answer")
	runs := 0
	c := &contender{turn: func() (figures, error) { runs++; return figures{}, wrong }}
	require.ErrorIs(t, alternate(3, 0, []*contender{c}), wrong)
	assert.Equal(t, 1, runs)
}

func TestBestHasTheHighestScoreOfThoseAskedFor(t *testing.T) {
	all := []*contender{
		{name: ours, turns: []figures{{rate: 100}}},
		{name: "Flask, sync", turns: []figures{{rate: 5}}},
		{name: "Caddy + Flask, 32 threads", turns: []figures{{rate: 7}}},
		{name: "Caddy + Flask, sync", turns: []figures{{rate: 6}}},
	}
	assert.Equal(t, "Caddy + Flask, 32 threads", best(all, isFlask, rate).name)
	assert.Equal(t, "Flask, sync", best(all, isFlask, func(f figures) float64 { return -f.rate }).name)
	assert.Equal(t, "Caddy + Flask, 32 threads", best(all, isFronted, rate).name)
}
