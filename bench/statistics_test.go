package main

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestMedianIsInTheMiddle(t *testing.T) {
	for _, test := range []struct {
		values []float64
		want   float64
	}{
		{[]float64{7}, 7},
		{[]float64{9, 1}, 5},
		{[]float64{3, 100, 1}, 3},
		{[]float64{4, 1, 3, 2}, 2.5},
	} {
		assert.Equal(t, test.want, median(test.values), "%v", test.values)
	}
	assert.True(t, math.IsNaN(median(nil)))
}

func TestMedianLeavesTheValuesInTheirOrder(t *testing.T) {
	values := []float64{3, 1, 2}
	median(values)
	assert.Equal(t, []float64{3, 1, 2}, values)
}

func TestQuantileIsAValueThatWasMeasured(t *testing.T) {
	hundred := make([]float64, 100)
	for i := range hundred {
		hundred[99-i] = float64(i + 1)
	}
	for _, test := range []struct {
		values []float64
		q      float64
		want   float64
	}{
		{hundred, 0.5, 50},
		{hundred, 0.99, 99},
		{hundred, 1, 100},
		{hundred, 0, 1},
		{[]float64{5}, 0.99, 5},
		{[]float64{1, 2, 3}, 0.5, 2},
	} {
		assert.Equal(t, test.want, quantile(test.values, test.q), "%d values, q %v", len(test.values), test.q)
	}
	assert.True(t, math.IsNaN(quantile(nil, 0.5)))
}

func TestFiguresAreMediansOverTurns(t *testing.T) {
	turns := []figures{{rate: 1, cpu: 30}, {rate: 100, cpu: 10}, {rate: 2, cpu: 20}}
	assert.Equal(t, 2.0, of(turns, rate))
	assert.Equal(t, 20.0, of(turns, cpu))
}

func TestSecondsOfTimes(t *testing.T) {
	assert.Equal(t, []float64{1.5, 0.002}, seconds([]time.Duration{1500 * time.Millisecond, 2 * time.Millisecond}))
}
