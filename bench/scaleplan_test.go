package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestEveryShopIsBoughtAtOnceAMinuteAtEvenDistances(t *testing.T) {
	p := plan{shops: 40, every: time.Minute, span: 10 * time.Minute}
	bought := make(map[int]int)
	silent := make(map[int]int)
	for n := range p.count() {
		one := p.purchase(n)
		bought[one.shop]++
		if one.silent {
			silent[one.shop]++
		}
		assert.Equal(t, time.Duration(n)*1500*time.Millisecond, p.at(n))
	}
	assert.Equal(t, 400, p.count())
	for shop := range p.shops {
		assert.Equal(t, 10, bought[shop])
		assert.Equal(t, 1, silent[shop], "one in ten, at every shop")
	}
}

func TestManyShopsForLongAreCountedRight(t *testing.T) {
	p := plan{shops: 10_000, every: time.Minute, span: 10 * time.Minute}
	assert.Equal(t, 100_000, p.count())
	assert.Less(t, p.at(p.count()-1), p.span)
	assert.InDelta(t, 166.7, p.perSecond(), 0.1)
}
