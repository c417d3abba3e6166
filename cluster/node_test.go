package cluster

import (
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	_ "github.com/caddyserver/caddy/v2/modules/standard"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	_ "github.com/caddy-qfpay/qfpay-jsapi"
	_ "github.com/caddy-qfpay/qfpay-jsapi/simulator"
)

// asNode in the environment makes the test binary a Caddy.
const asNode = "QFPAY_CLUSTER_NODE"

func TestMain(m *testing.M) {
	if os.Getenv(asNode) != "" {
		signal.Ignore(syscall.SIGXFSZ) // a full disk is an error, and no reason to die
		go endWithParent()
		caddycmd.Main()
		return
	}
	flag.Parse()
	_ = flag.Set("test.parallel", "8") // the tests wait more than they work
	os.Exit(m.Run())
}

// endWithParent ends a node whose test is gone: the test holds the other end of
// its standard input.
func endWithParent() {
	_, _ = io.Copy(io.Discard, os.Stdin)
	os.Exit(1)
}

// node is one Caddy of the cluster. It keeps its address over restarts.
type node struct {
	t       testing.TB
	name    string
	address string
	admin   string // address of its admin API
	folder  string
	line    *line    // on which it reaches the gateway
	ledger  string   // its address
	watcher *watcher // nil: it is not watched
	process *exec.Cmd
	exited  chan struct{} // closed when the process is gone
}

func newNode(t testing.TB, name string) *node {
	t.Helper()
	n := &node{t: t, name: name, address: freeAddress(t), admin: freeAddress(t), folder: t.TempDir()}
	t.Cleanup(n.inspectLog)
	return n
}

func (n *node) configure(caddyfile string) {
	n.t.Helper()
	require.NoError(n.t, os.WriteFile(n.caddyfile(), []byte(caddyfile), 0o600))
}

func (n *node) caddyfile() string { return filepath.Join(n.folder, "Caddyfile") }
func (n *node) logFile() string   { return filepath.Join(n.folder, "caddy.log") }

// start runs the node and returns when it serves.
func (n *node) start() {
	n.t.Helper()
	binary, err := os.Executable()
	require.NoError(n.t, err)
	log, err := os.OpenFile(n.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(n.t, err)
	defer log.Close()
	n.process = exec.Command(binary, "run", "--config", n.caddyfile(), "--adapter", "caddyfile")
	n.process.Env = append(os.Environ(), asNode+"="+n.name, "HOME="+n.folder, "XDG_DATA_HOME="+n.folder, "XDG_CONFIG_HOME="+n.folder,
		"TEST_QFPAY_CLIENT_KEY="+clientKey, "TEST_QFPAY_WEBHOOK_SECRET="+webhookSecret(), "TEST_QFPAY_INVOICE_KEY="+invoiceKey, "TEST_QFPAY_LEDGER="+n.ledger)
	if n.watcher != nil {
		n.process.Env = append(n.process.Env, watcherOfNode+"="+n.watcher.server.URL)
	}
	n.process.Stdout, n.process.Stderr = log, log
	_, err = n.process.StdinPipe()
	require.NoError(n.t, err)
	require.NoError(n.t, n.process.Start())
	n.exited = make(chan struct{})
	go func() {
		defer close(n.exited)
		_ = n.process.Wait()
	}()
	n.t.Cleanup(n.kill)
	eventually(n.t, "node "+n.name+" serves", func() bool { return n.serves() || !n.alive() })
	require.True(n.t, n.alive(), "node %s ended by itself", n.name)
}

func (n *node) alive() bool {
	select {
	case <-n.exited:
		return false
	default:
		return true
	}
}

// serves reports whether the site answers and the configuration is the running one.
func (n *node) serves() bool {
	for _, address := range []string{n.address + "/", n.admin + "/qfpay_jsapi/shops"} {
		resp, err := http.Get("http://" + address)
		if err != nil {
			return false
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return false
		}
	}
	return true
}

// kill ends the node at once, as kill -9 and power cuts do.
func (n *node) kill() {
	_ = n.process.Process.Kill()
	<-n.exited
}

// inspectLog looks for what a node would survive and a test not see.
func (n *node) inspectLog() {
	log, err := os.ReadFile(n.logFile())
	assert.NoError(n.t, err)
	for _, wrong := range []string{"DATA RACE", "panic"} {
		assert.NotContains(n.t, string(log), wrong, "the log of node %s", n.name)
	}
	if n.t.Failed() {
		n.t.Logf("the log of node %s:\n%s", n.name, log)
	}
}

// sleep and wake stop the node and let it go on. A node that sleeps is alive.
func (n *node) sleep() { n.signal(syscall.SIGSTOP) }
func (n *node) wake()  { n.signal(syscall.SIGCONT) }

func (n *node) signal(number syscall.Signal) { _ = n.process.Process.Signal(number) }

// shopName is that of the shop in the ledger.
const shopName = "harbour-pets"

// caddyfile is the same for all nodes, but for where they listen and how they
// reach the gateway.
func (c *cluster) caddyfile(n *node) string {
	return fmt.Sprintf(`{
	admin %s
	persist_config off
	auto_https off
	servers {
		trusted_proxies static 127.0.0.1
	}
}
http://:%s {
	bind 127.0.0.1
	qfpay_jsapi {
		environment %s
		pay_page %s/q/direct
		app_code %s
		client_key {env.TEST_QFPAY_CLIENT_KEY}
		merchant_name "Harbour Pets"
		currency HKD
		item cat-food 128.00
		name %s
		ledger %s {env.TEST_QFPAY_LEDGER}
		invoice_key {env.TEST_QFPAY_INVOICE_KEY}
		public_url %s
		webhook %s/hooks {env.TEST_QFPAY_WEBHOOK_SECRET}
		%s
	}
	respond "the shop" 200
}
`, n.admin, portOf(n.address), n.line.url, c.wallet.URL, appCode, shopName, c.engine, c.front.server.URL, c.program.server.URL, c.more)
}

var (
	portsMu  sync.Mutex
	nextPort = 10000 + rand.IntN(8000) // below the ports that the system hands out by itself
)

func portOf(address string) string {
	_, port, _ := net.SplitHostPort(address)
	return port
}

// freeAddress finds an address that can be listened on, now and after a
// restart. None is given out twice.
func freeAddress(t testing.TB) string {
	t.Helper()
	portsMu.Lock()
	defer portsMu.Unlock()
	for {
		nextPort++
		address := fmt.Sprintf("127.0.0.1:%d", nextPort)
		if listener, err := net.Listen("tcp", address); err == nil {
			listener.Close()
			return address
		}
	}
}
