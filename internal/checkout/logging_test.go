package checkout

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// newLoggedWorld is a world whose log a test reads.
func newLoggedWorld(t *testing.T) (*world, *observer.ObservedLogs) {
	core, lines := observer.New(zap.DebugLevel)
	return newWorld(t, func(c *Config) { c.Log = zap.New(core) }), lines
}

// forge has somebody notify who does not know the key.
func (w *world) forge(times int) {
	w.t.Helper()
	for range times {
		r := httptest.NewRequest(http.MethodPost, "/pay/notify", strings.NewReader(`{"status":"1"}`))
		w.notes = map[string]string{}
		answer := httptest.NewRecorder()
		require.NoError(w.t, w.ServeHTTP(answer, r))
		require.Equal(w.t, http.StatusUnauthorized, answer.Code)
	}
}

func TestForgedNotificationsWriteOneLineAMinute(t *testing.T) {
	w, lines := newLoggedWorld(t)
	counts := func() (counts []any) {
		for _, line := range lines.TakeAll() {
			assert.Equal(t, "192.0.2.1", line.ContextMap()["client"])
			counts = append(counts, line.ContextMap()["count"])
		}
		return counts
	}
	w.forge(100)
	assert.Equal(t, []any{int64(1)}, counts(), "the first is told of at once")
	w.skipped += time.Minute
	w.forge(100)
	assert.Equal(t, []any{int64(100)}, counts(), "and the others after a minute")
	w.skipped += 2 * time.Minute
	w.forge(1)
	assert.Equal(t, []any{int64(100)}, counts())
	assert.Len(t, w.notified, 201, "all are counted")
}

func TestAReturnIsLoggedOnceForEachStatus(t *testing.T) {
	w, lines := newLoggedWorld(t)
	w.leadsTo("/pay/cat-food")
	order := w.notes["order"]
	w.leadsTo("/pay/callback/" + order + "?code=" + w.gateway.Code())
	visit := func() {
		for _, query := range []string{"", "", "?check=2", "?check=1", "?sheet=ok"} {
			_, err := w.visit("/pay/return/" + order + query)
			require.NoError(t, err)
		}
	}
	statuses := func() (statuses []any) {
		for _, line := range lines.FilterMessage("return").All() {
			assert.Equal(t, order, line.ContextMap()["order"])
			statuses = append(statuses, line.ContextMap()["status"])
		}
		return statuses
	}
	visit()
	assert.Equal(t, []any{"pending"}, statuses())
	require.NoError(t, w.gateway.Pay(order))
	w.skipped += time.Minute // so that the gateway is asked again
	visit()
	visit()
	assert.Equal(t, []any{"pending", "paid"}, statuses())
}
