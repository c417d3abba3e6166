package ledger

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDaysBeginWhenTheirZoneSaysSo(t *testing.T) {
	for _, test := range []struct {
		zone, day, begins string
		hours             float64
	}{
		{"Asia/Hong_Kong", "2026-11-23", "2026-11-22T16:00:00Z", 24},
		{"UTC", "2026-11-23", "2026-11-23T00:00:00Z", 24},
		{"Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00Z", 23},
		{"Europe/Berlin", "2026-10-25", "2026-10-24T22:00:00Z", 25},
		{"Asia/Kathmandu", "2026-11-23", "2026-11-22T18:15:00Z", 24},
		{"Pacific/Kiritimati", "2026-11-23", "2026-11-22T10:00:00Z", 24},
		{"Africa/Cairo", "2024-04-26", "2024-04-25T22:00:00Z", 23},    // there is no midnight
		{"Africa/Cairo", "2024-10-31", "2024-10-30T21:00:00Z", 25},    // its last hour comes twice
		{"Atlantic/Azores", "2026-10-25", "2026-10-25T00:00:00Z", 25}, // midnight comes twice
		{"Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z", 0},     // the day was left out
	} {
		t.Run(test.zone+" "+test.day, func(t *testing.T) {
			zone, err := time.LoadLocation(test.zone)
			require.NoError(t, err)
			read, err := ParseDay(test.day)
			require.NoError(t, err)
			day := read.In(zone)
			assert.Equal(t, test.begins, day.Start().UTC().Format(time.RFC3339))
			assert.Equal(t, test.hours, day.Next().Start().Sub(day.Start()).Hours())
			if test.hours > 0 {
				assert.Equal(t, test.day, DayIn(zone, day.Start()).String())
				assert.Equal(t, test.day, DayIn(zone, day.Next().Start().Add(-time.Millisecond)).String())
			}
			assert.Equal(t, day.Previous().String(), DayIn(zone, day.Start().Add(-time.Millisecond)).String())
		})
	}
}

func TestMonthsBeginOnTheirFirstDay(t *testing.T) {
	day, err := ParseDay("2026-01-31")
	require.NoError(t, err)
	assert.Equal(t, "2026-01-01", day.FirstOfMonth(0).String())
	assert.Equal(t, "2025-12-01", day.FirstOfMonth(-1).String())
	assert.Equal(t, "2026-02-01", day.FirstOfMonth(1).String())
	assert.Equal(t, 31, Period{day.FirstOfMonth(0), day}.Length())
}
