package cli

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMomentReadsTimesToGoAndMoments(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 5, time.FixedZone("UTC+8", 8*60*60))
	for text, want := range map[string]string{
		"72h":                       "2026-11-26T04:00:00Z",
		"30d":                       "2026-12-23T04:00:00Z",
		"1.5d":                      "2026-11-24T16:00:00Z",
		"2026-12-31T18:00:00+08:00": "2026-12-31T10:00:00Z",
	} {
		at, err := moment(text, now)
		require.NoError(t, err, text)
		assert.Equal(t, want, at.UTC().Format(time.RFC3339Nano), text)
	}
	for _, text := range []string{"soon", "-1h", "0s", "-3d", "d", "2026-12-31"} {
		_, err := moment(text, now)
		assert.ErrorContains(t, err, "is neither a length of time such as 72h or 30d nor a date and time", text)
	}
}
