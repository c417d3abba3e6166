//go:build linux

package crash

import (
	"net/http"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// A disk that takes no more: the kernel refuses whatever would make a file
// longer than some bytes.
func TestOnAFullDiskNothingIsLost(t *testing.T) {
	for _, test := range []struct {
		name   string
		room   uint64
		status int
	}{
		{"room for nothing", 0, http.StatusServiceUnavailable},
		{"room for locks", 150, http.StatusServiceUnavailable},
		{"room for the intent too: the outcome is unknown", 500, http.StatusOK},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			shop := openShop(t, "", true)
			shop.storage = "file_system " + filepath.Join(shop.folder, "data")
			shop.start(shop.storage)
			callback := shop.authorize(shop.url + "/pay/cat-food")
			shop.fillDisk(test.room)
			status, _ := shop.try(callback)
			assert.Equal(t, test.status, status)

			shop.fillDisk(unix.RLIM_INFINITY)
			order := shop.prepare()
			require.NoError(t, shop.gateway.Pay(order))
			shop.until("the order is paid", func() bool { return slices.Contains(shop.facts(order), "paid") })
			shop.until("the shop's program is told", func() bool { return shop.timesTold("msg_"+order+"_paid") == 1 })
			assert.Zero(t, shop.deaths)
		})
	}
	t.Run("after the payment, the notification is repeated", func(t *testing.T) {
		t.Parallel()
		shop := openShop(t, "", true)
		shop.storage = "file_system " + filepath.Join(shop.folder, "data")
		shop.start(shop.storage)
		order := shop.prepare()
		shop.fillDisk(0)
		require.NoError(t, shop.gateway.Pay(order))
		shop.until("a notification is refused", func() bool {
			told := shop.gateway.Notifications()
			return len(told) > 0 && told[0].Status == http.StatusServiceUnavailable
		})
		shop.fillDisk(unix.RLIM_INFINITY)
		shop.until("the order is paid", func() bool { return slices.Contains(shop.facts(order), "paid") })
		shop.until("the shop's program is told", func() bool { return shop.timesTold("msg_"+order+"_paid") == 1 })
	})
}

// fillDisk bounds the length of the files that the process can write.
func (s *shop) fillDisk(room uint64) {
	s.t.Helper()
	limit := unix.Rlimit{Cur: room, Max: unix.RLIM_INFINITY}
	require.NoError(s.t, unix.Prlimit(s.process.Process.Pid, unix.RLIMIT_FSIZE, &limit, nil))
}

// Caddy's own file storage, with its own locks, which count as stale ten
// seconds after their holder was killed.
func TestKilledOnCaddysOwnStorageAnotherProcessTakesOver(t *testing.T) {
	t.Parallel()
	shop := openShop(t, "", false)
	shop.storage = "file_system " + filepath.Join(shop.folder, "data")
	shop.start(shop.storage)
	order := shop.prepare()
	shop.kill()
	require.NoError(t, shop.gateway.Pay(order))
	killed := time.Now()
	shop.until("the order is paid", func() bool { return slices.Contains(shop.facts(order), "paid") })
	t.Logf("taken over and asked about %v after the kill", time.Since(killed).Round(time.Second))
	shop.until("the shop's program is told", func() bool { return shop.timesTold("msg_"+order+"_paid") == 1 })
	assert.Equal(t, 1, shop.deaths)
}
