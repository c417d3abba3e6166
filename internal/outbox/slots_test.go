package outbox

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

func destinations(n int) (all []ledger.Destination) {
	for i := range n {
		all = append(all, ledger.Destination{Shop: "shop" + strconv.Itoa(i), Endpoint: "a"})
	}
	return all
}

func slotsFor(all []ledger.Destination) *slots {
	s := new(slots)
	endpoints := make(map[ledger.Destination]Receiver)
	for _, destination := range all {
		endpoints[destination] = Webhook(nil)
	}
	s.replace(endpoints)
	return s
}

func TestSlotsAreBoundedForEachAndInAll(t *testing.T) {
	all := destinations(40)
	s := slotsFor(all)
	first := s.take(all)
	require.Len(t, first, allSlots/hookTerms.Slots)
	for _, granted := range first {
		assert.Equal(t, hookTerms.Slots, granted.slots)
	}
	assert.Empty(t, s.take(all))

	for _, granted := range first {
		s.release(granted.endpoint, granted.slots)
	}
	assert.Zero(t, s.busy)
	assert.Len(t, s.take(all[:1]), 1)
}

func TestAnEndpointWithoutAttemptsComesBeforeThoseThatHang(t *testing.T) {
	all := destinations(40)
	s := slotsFor(all)
	hanging := s.take(all[:32])
	require.Len(t, hanging, 32)

	s.release(hanging[3].endpoint, 1)
	granted := s.take(all)
	require.Len(t, granted, 1)
	assert.Contains(t, all[32:], granted[0].Destination)
}

func TestSlotsOfReplacedEndpointsComeBack(t *testing.T) {
	all := destinations(40)
	s := slotsFor(all)
	before := s.take(all)
	endpoints := make(map[ledger.Destination]Receiver)
	endpoints[all[0]] = Webhook(nil)
	s.replace(endpoints)
	assert.Empty(t, s.take(all), "all slots are taken")
	s.release(before[5].endpoint, 3)
	granted := s.take(all)
	require.Len(t, granted, 1)
	assert.Equal(t, all[0], granted[0].Destination)
	assert.Equal(t, 3, granted[0].slots)
}
