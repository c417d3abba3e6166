package qfpay

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestTimesAreWrittenInHongKong(t *testing.T) {
	for name, test := range map[string]struct {
		time time.Time
		want string
	}{
		"UTC before midnight is the next day": {time.Date(2026, 12, 31, 16, 0, 0, 0, time.UTC), "2027-01-01 00:00:00"},
		"afternoons have 24 hours":            {time.Date(2026, 11, 23, 15, 4, 5, 0, HongKong), "2026-11-23 15:04:05"},
		"other zones are converted":           {time.Date(2026, 7, 1, 9, 0, 0, 0, time.FixedZone("", -4*60*60)), "2026-07-01 21:00:00"},
	} {
		assert.Equal(t, test.want, formatTime(test.time), name)
	}
}

func TestTimesAreReadInHongKong(t *testing.T) {
	want := time.Date(2026, 11, 23, 7, 4, 5, 0, time.UTC)
	assert.True(t, want.Equal(parseTime("2026-11-23 15:04:05")))
}

func TestUnreadableTimesAreZero(t *testing.T) {
	for _, s := range []string{"", "0000-00-00 00:00:00", "yesterday", "2026-11-23"} {
		assert.True(t, parseTime(s).IsZero(), s)
	}
}
