package cluster

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

// openAlone opens one node on SQLite.
func openAlone(t *testing.T) *cluster {
	t.Helper()
	c := newCluster(t, withNotifications, func(c *qfpaytest.Config) { c.TimeScale = 600 })
	c.keepInFile()
	c.more = "timeout 2s"
	c.start()
	return c
}

// A disk that takes no more: the kernel refuses whatever would write into a file of
// the process, whose length it bounds.
func (n *node) fillDisk() { n.boundFiles(0) }
func (n *node) freeDisk() { n.boundFiles(unix.RLIM_INFINITY) }

func (n *node) boundFiles(room uint64) {
	n.t.Helper()
	limit := unix.Rlimit{Cur: room, Max: unix.RLIM_INFINITY}
	require.NoError(n.t, unix.Prlimit(n.process.Process.Pid, unix.RLIMIT_FSIZE, &limit, nil))
}

func TestTheDiskIsFullWhenAPayerComesBackFromWeChat(t *testing.T) {
	t.Parallel()
	c := openAlone(t)
	p := c.payer()
	callback, order := p.start(t, c.one)
	c.one.fillDisk()
	refused := p.get(c.one, callback)
	require.Equal(t, http.StatusServiceUnavailable, refused.status, refused.body)
	assert.NotEmpty(t, refused.header.Get("Retry-After"))
	assert.Zero(t, c.requests(paymentCall), "the gateway hears of no order that the ledger does not have")

	c.one.freeDisk()
	page := p.get(c.one, callback)
	require.True(t, page.isOAuth(), "the code was used, not %d %s", page.status, page.body)
	requirePayPage(t, p.get(c.one, p.get(anyNode, page.location).location))
	require.NoError(t, c.gateway.Pay(order))
	c.requireSettledAsPaid(t, order)
}

func TestTheDiskFillsUpInMidPayment(t *testing.T) {
	t.Parallel()
	c := openAlone(t)
	p := c.payer()
	callback, order := p.start(t, c.one)
	call := c.one.line.hold(t, paymentCall, afterTheGateway)
	answer := make(chan reply)
	go func() { answer <- p.get(c.one, callback) }()
	call.reached(t)
	c.one.fillDisk()
	call.open()
	requireChecking(t, <-answer, order)
	c.one.freeDisk()
	requireNotPayable(t, p.get(c.one, callback), order)
	eventually(t, "the order that nobody can pay is over", func() bool { return p.status(c.one, order) == "closed" })

	callback, again := p.startAgain(t, c.one, order)
	requirePayPage(t, p.get(c.one, callback))
	require.NoError(t, c.gateway.Pay(again))
	c.requireSettledAsPaid(t, again)
	c.settleDown(patience)
	c.compareBooks()
}

func TestANotificationIsRepeatedUntilThereIsRoomOnTheDisk(t *testing.T) {
	t.Parallel()
	c := openAlone(t)
	order := c.payer().prepare(t, c.one)
	c.one.fillDisk()
	require.NoError(t, c.gateway.Pay(order))
	eventually(t, "the gateway is told to try again", func() bool { return len(c.gateway.Notifications()) > 0 })
	assert.Equal(t, http.StatusServiceUnavailable, c.gateway.Notifications()[0].Status)
	c.one.freeDisk()
	c.requireSettledAsPaid(t, order)
	c.settleDown(patience)
	c.compareBooks()
}
