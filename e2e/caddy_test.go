package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var (
	caddy string // the built binary
	axe   string // the source of the accessibility checker
)

func TestMain(m *testing.M) {
	folder, err := os.MkdirTemp("", "e2e")
	if err == nil {
		caddy = filepath.Join(folder, "caddy")
		err = run("..", "go", "build", "-o", caddy, "./cmd/caddy")
	}
	if err == nil {
		err = run(".", "npm", "ci", "--no-audit", "--no-fund")
	}
	if err == nil {
		var text []byte
		text, err = os.ReadFile("node_modules/axe-core/axe.min.js")
		axe = string(text)
	}
	if err == nil {
		err = os.MkdirAll("screenshots", 0o755)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(folder)
	os.Exit(code)
}

func run(folder, name string, args ...string) error {
	command := exec.Command(name, args...)
	command.Dir, command.Stdout, command.Stderr = folder, os.Stderr, os.Stderr
	return command.Run()
}

// site is a running Caddy with one of the example Caddyfiles.
type site struct {
	t       testing.TB
	shop    string // URL
	gateway string // URL of the simulator
	file    string
	process *exec.Cmd
	log     string
}

// open starts an example, on ports of its own. Each pair of changes is a text
// of the Caddyfile and what stands in its place.
func open(t testing.TB, example string, changes ...string) *site {
	t.Helper()
	shop, gateway := freePort(t), freePort(t)
	folder := t.TempDir()
	s := &site{
		t: t, shop: "http://localhost:" + shop, gateway: "http://localhost:" + gateway,
		file: filepath.Join(folder, "Caddyfile"), log: filepath.Join(folder, "log"),
	}
	text, err := os.ReadFile(filepath.Join("..", example))
	require.NoError(t, err)
	replaced := strings.NewReplacer(
		":8080", ":"+shop, ":8090", ":"+gateway,
		"demo-data", filepath.Join(folder, "data"), "root examples/", "root ../examples/", "default_bind 127.0.0.1", "default_bind 127.0.0.1\n\tadmin off",
		"qfpay_simulator {", "qfpay_simulator {\n\t\tstrict",
	).Replace(string(text))
	for i := 0; i < len(changes); i += 2 {
		require.Contains(t, replaced, changes[i])
		replaced = strings.ReplaceAll(replaced, changes[i], changes[i+1])
	}
	require.NoError(t, os.WriteFile(s.file, []byte(replaced), 0o600))
	t.Cleanup(func() {
		if text, _ := os.ReadFile(s.log); t.Failed() {
			t.Log(string(text))
		}
	})
	s.start()
	t.Cleanup(s.stop)
	return s
}

func (s *site) start() {
	s.t.Helper()
	log, err := os.OpenFile(s.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(s.t, err)
	defer log.Close()
	s.process = exec.Command(caddy, "run", "--config", s.file, "--adapter", "caddyfile")
	s.process.Stdout, s.process.Stderr = log, log
	s.process.Env = append(os.Environ(), "XDG_DATA_HOME="+filepath.Dir(s.log), "XDG_CONFIG_HOME="+filepath.Dir(s.log))
	require.NoError(s.t, s.process.Start())
	require.Eventually(s.t, func() bool {
		reply, err := http.Get(s.shop)
		if err == nil {
			reply.Body.Close()
		}
		return err == nil
	}, 20*time.Second, 50*time.Millisecond, "Caddy does not start")
}

func (s *site) stop() {
	_ = s.process.Process.Signal(syscall.SIGTERM)
	_ = s.process.Wait()
}

// trade is what the simulator keeps of a payment.
type trade struct {
	OutTradeNo string `json:"out_trade_no"`
	OrderType  string `json:"order_type"`
	State      string `json:"state"`
	Amount     int    `json:"txamt"`
}

// trades returns what the gateway knows.
func (s *site) trades() (trades []trade) {
	s.t.Helper()
	reply, err := http.Get(s.gateway + "/control/trades")
	require.NoError(s.t, err)
	defer reply.Body.Close()
	text, err := io.ReadAll(reply.Body)
	require.NoError(s.t, err)
	require.NoError(s.t, json.NewDecoder(bytes.NewReader(text)).Decode(&trades), string(text))
	return trades
}

func (s *site) paid() (paid int) {
	for _, trade := range s.trades() {
		if trade.State == "paid" {
			paid++
		}
	}
	return paid
}

// nextPort counts up from a random start, below the ports that the system hands
// out by itself: none is given out twice, and no connection takes one.
var nextPort atomic.Int32

func init() { nextPort.Store(20000 + rand.Int32N(8000)) }

func freePort(t testing.TB) string {
	t.Helper()
	for {
		port := strconv.Itoa(int(nextPort.Add(1)))
		if listener, err := net.Listen("tcp", ":"+port); err == nil {
			require.NoError(t, listener.Close())
			return port
		}
	}
}
