package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSleepIsNeverShorterThanAskedFor(t *testing.T) {
	for _, span := range []time.Duration{-time.Second, 0, time.Microsecond, 3 * time.Millisecond} {
		began := time.Now()
		require.NoError(t, sleepExactly(span))
		assert.GreaterOrEqual(t, time.Since(began), span)
	}
}
