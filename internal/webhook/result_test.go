package webhook

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOnlyAStatusFrom200To299IsADelivery(t *testing.T) {
	for status, delivered := range map[int]bool{
		200: true, 201: true, 204: true, 299: true,
		300: false, 304: false, 400: false, 404: false, 429: false, 500: false, 503: false, 599: false,
	} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			result := open(t, receive(t, answer(status)).URL).Send(t.Context(), paid(), time.Now())
			assert.Equal(t, delivered, result.Delivered)
			assert.Equal(t, delivered, result.Err == nil)
			assert.Equal(t, status, result.Status)
			assert.False(t, result.Disabled)
		})
	}
}

func TestARedirectIsAFailureAndIsNotFollowed(t *testing.T) {
	elsewhere := receive(t, answer(http.StatusOK))
	for _, status := range []int{301, 302, 303, 307, 308} {
		shop := receive(t, answer(status, "Location", elsewhere.URL))
		result := open(t, shop.URL).Send(t.Context(), paid(), time.Now())
		assert.Equal(t, status, result.Status)
		assert.False(t, result.Delivered)
		assert.ErrorContains(t, result.Err, "redirects are not followed")
	}
	assert.Empty(t, elsewhere.deliveries())
}

func TestGoneDisablesTheEndpoint(t *testing.T) {
	shop := receive(t, answer(http.StatusGone, "Retry-After", "60"))

	result := open(t, shop.URL).Send(t.Context(), paid(), time.Now())

	assert.True(t, result.Disabled)
	assert.False(t, result.Delivered)
	assert.Equal(t, 410, result.Status)
	assert.Zero(t, result.RetryAfter)
	assert.ErrorContains(t, result.Err, "410")
}

func TestAFailingEndpointSaysWhenToComeBack(t *testing.T) {
	now := time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		name, header string
		status       int
		want         time.Duration
	}{
		{"in seconds", "120", 429, 2 * time.Minute},
		{"on any failure", "120", 500, 2 * time.Minute},
		{"as a date", now.Add(time.Hour).Format(http.TimeFormat), 503, time.Hour},
		{"as a date of the old form", now.Add(time.Hour).Format(time.ANSIC), 503, time.Hour},
		{"as a date gone by", now.Add(-time.Hour).Format(http.TimeFormat), 503, 0},
		{"not at all", "", 503, 0},
		{"at once", "0", 503, 0},
		{"at the bound", "86400", 503, 24 * time.Hour},
		{"beyond the bound", "86401", 503, 24 * time.Hour},
		{"beyond integers", "99999999999999999999999", 503, 24 * time.Hour},
		{"as a date beyond the bound", "Fri, 31 Dec 9999 23:59:59 GMT", 503, 24 * time.Hour},
		{"less than nothing", "-5", 503, 0},
		{"in words", "tomorrow", 503, 0},
		{"though it took the message", "120", 200, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			shop := receive(t, answer(test.status, "Retry-After", test.header))
			assert.Equal(t, test.want, open(t, shop.URL).Send(t.Context(), paid(), now).RetryAfter)
		})
	}
}

func TestErrorsNameTheEndpointWithoutItsQuery(t *testing.T) {
	failing := receive(t, answer(http.StatusBadGateway))
	silent := receive(t, answer(http.StatusOK))
	silent.Close()
	for _, shop := range []*receiver{failing, silent} {
		result := open(t, shop.URL+"/paid?token=opensesame").Send(t.Context(), paid(), time.Now())
		require.Error(t, result.Err)
		assert.Contains(t, result.Err.Error(), shop.URL+"/paid")
		assert.NotContains(t, result.Err.Error(), "opensesame")
	}
}
