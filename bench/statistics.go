package main

import (
	"math"
	"slices"
	"time"
)

// median of an odd number of values is the middle one, and of an even number
// the mean of the two in the middle. Of none it is NaN.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	switch {
	case n == 0:
		return math.NaN()
	case n%2 == 1:
		return sorted[n/2]
	default:
		return (sorted[n/2-1] + sorted[n/2]) / 2
	}
}

// quantile is the smallest value that at least the share q of all values does
// not exceed. Of none it is NaN.
func quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	rank := int(math.Ceil(q*float64(len(sorted)))) - 1
	return sorted[min(max(rank, 0), len(sorted)-1)]
}

// figures are what one turn of one server gave. What was not measured is 0.
type figures struct {
	count    float64 // of operations
	rate     float64 // of them per second
	p50, p99 float64 // seconds
	cpu      float64 // seconds of processor time per operation
	memory   float64 // bytes

	goroutines float64

	databaseCPU  float64 // seconds of the database's processor time per operation
	transactions float64 // of the database per operation
}

// of is the median of one figure over all turns.
func of(turns []figures, one func(figures) float64) float64 {
	values := make([]float64, len(turns))
	for i, f := range turns {
		values[i] = one(f)
	}
	return median(values)
}

func rate(f figures) float64   { return f.rate }
func p50(f figures) float64    { return f.p50 }
func p99(f figures) float64    { return f.p99 }
func cpu(f figures) float64    { return f.cpu }
func memory(f figures) float64 { return f.memory }

func goroutines(f figures) float64 { return f.goroutines }

func databaseCPU(f figures) float64  { return f.databaseCPU }
func transactions(f figures) float64 { return f.transactions }

func seconds(times []time.Duration) []float64 {
	values := make([]float64, len(times))
	for i, t := range times {
		values[i] = t.Seconds()
	}
	return values
}
