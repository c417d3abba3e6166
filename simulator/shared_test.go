//go:build unix

package simulator

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
	"testing"

	"github.com/caddyserver/caddy/v2"
	_ "github.com/caddyserver/caddy/v2/modules/filestorage"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// listenAsCaddyDoes listens on an address that others may share.
func listenAsCaddyDoes(t *testing.T, address string) string {
	t.Helper()
	config := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) (err error) {
		_ = raw.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1) })
		return err
	}}
	listener, err := config.Listen(context.Background(), "tcp", address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	return listener.Addr().String()
}

// free is an address on which nobody listens.
func free(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

// demo serves a shop and its gateway in this process, and returns the answer of the
// gateway's address.
func demo(t *testing.T, shop, gateway string) (status int, body string) {
	t.Helper()
	config := fmt.Sprintf(`{"admin":{"disabled":true,"config":{"persist":false}},"storage":{"module":"file_system","root":%q},"apps":{"http":{"servers":{
		"shop":{"listen":[%q],"automatic_https":{"disable":true}},
		"gateway":{"listen":[%q],"automatic_https":{"disable":true},"routes":[{"handle":[{"handler":"qfpay_simulator","app_code":"A","client_key":"K"}]}]}}}}}`,
		t.TempDir(), shop, gateway)
	require.NoError(t, caddy.Load([]byte(config), true))
	t.Cleanup(func() { require.NoError(t, caddy.Stop()) })
	answer := func() (int, string) {
		response, err := http.Get("http://" + gateway + "/control/")
		require.NoError(t, err)
		defer func() { _ = response.Body.Close() }()
		text, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		return response.StatusCode, string(text)
	}
	return answer()
}

func TestADemoBesideAnotherSaysSo(t *testing.T) {
	shop := listenAsCaddyDoes(t, "127.0.0.1:0")
	status, body := demo(t, shop, free(t))
	assert.Equal(t, http.StatusServiceUnavailable, status)
	assert.Contains(t, body, "listens on "+shop+" too")
	assert.Contains(t, body, "Stop both, and start one.")
}

func TestADemoAloneAnswersAlsoAfterAReload(t *testing.T) {
	shop, gateway := free(t), free(t)
	for range 2 { // the second time, this process itself listens there
		status, _ := demo(t, shop, gateway)
		assert.Equal(t, http.StatusOK, status)
	}
}
