package locale

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTimesSayHowFarTheirZoneIsFromUTC(t *testing.T) {
	at := time.Date(2026, 11, 23, 18, 4, 0, 0, time.UTC)
	en := in(Payer, "en")
	for name, want := range map[string][2]string{
		"Asia/Hong_Kong":    {"24 November 2026, 02:04 (UTC+8)", "2026-11-24T02:04:00+08:00"},
		"Europe/Berlin":     {"23 November 2026, 19:04 (UTC+1)", "2026-11-23T19:04:00+01:00"},
		"UTC":               {"23 November 2026, 18:04 (UTC)", "2026-11-23T18:04:00Z"},
		"Asia/Kathmandu":    {"23 November 2026, 23:49 (UTC+5:45)", "2026-11-23T23:49:00+05:45"},
		"America/St_Johns":  {"23 November 2026, 14:34 (UTC-3:30)", "2026-11-23T14:34:00-03:30"},
		"America/Vancouver": {"23 November 2026, 10:04 (UTC-8)", "2026-11-23T10:04:00-08:00"},
	} {
		zone, err := time.LoadLocation(name)
		require.NoError(t, err)
		moment := en.Clock(at.In(zone))
		assert.Equal(t, want, [2]string{moment.Human, moment.Machine})
	}
	assert.Nil(t, en.Clock(time.Time{}))
}

func TestDatesAreWrittenAsReadersOfTheLanguageDo(t *testing.T) {
	at := time.Date(2026, 5, 4, 2, 4, 5, 0, time.FixedZone("", 7*3600))
	for tag, want := range map[string][4]string{
		"en":      {"4 May 2026, 02:04 (UTC+7)", "02:04 (UTC+7)", "2026-05-04 02:04:05", "2026-05"},
		"id":      {"4 Mei 2026 pukul 02.04 (UTC+7)", "pukul 02.04 (UTC+7)", "04/05/2026 02.04.05", "05/2026"},
		"ja":      {"2026年5月4日 02:04（UTC+7）", "02:04（UTC+7）", "2026/05/04 02:04:05", "2026/05"},
		"th":      {"4 พฤษภาคม พ.ศ. 2569 เวลา 02:04 น. (UTC+7)", "02:04 น. (UTC+7)", "04/05/2569 02:04:05", "05/2569"},
		"zh-Hans": {"2026年5月4日 02:04（UTC+7）", "02:04（UTC+7）", "2026-05-04 02:04:05", "2026-05"},
		"zh-Hant": {"2026年5月4日 02:04（UTC+7）", "02:04（UTC+7）", "2026-05-04 02:04:05", "2026-05"},
		"zh-TW":   {"2026年5月4日 02:04（UTC+7）", "02:04（UTC+7）", "2026-05-04 02:04:05", "2026-05"},
	} {
		l := in(Payer, tag)
		assert.Equal(t, want, [4]string{l.Clock(at).Human, l.Hour(at).Human, l.Second(at), l.Day("2026-05")}, tag)
	}
	th := in(Payer, "th")
	assert.Equal(t, "04/05/2569", th.Day("2026-05-04"))
	assert.Equal(t, "04/05/2569 02:04", th.Minute(at))
	assert.Equal(t, "no day", th.Day("no day"))
	assert.Nil(t, th.Hour(time.Time{}))
}
