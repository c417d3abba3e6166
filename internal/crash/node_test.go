//go:build unix

package crash

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	_ "github.com/caddyserver/caddy/v2/modules/standard"
	"github.com/stretchr/testify/require"

	_ "github.com/caddy-qfpay/qfpay-jsapi"
)

const (
	appCode   = "TESTAPPCODE"
	clientKey = "TESTKEY"
	secret    = "whsec_dGVzdHRlc3R0ZXN0dGVzdHRlc3R0ZXN0"

	caddyfileOfNode = "QFPAY_CRASH_CADDYFILE"
)

// TestMain runs the tests, or in a process that a test has started, Caddy.
func TestMain(m *testing.M) {
	if path := os.Getenv(caddyfileOfNode); path != "" {
		runCaddy(path)
		return
	}
	flag.Parse()
	_ = flag.Set("test.parallel", "12") // they wait more than they work
	os.Exit(m.Run())
}

// runCaddy runs until it is killed, or until the test that started it is gone.
func runCaddy(path string) {
	signal.Ignore(syscall.SIGXFSZ) // a full disk is an error, not a reason to die
	text, err := os.ReadFile(path)
	if err == nil {
		text, _, err = caddyconfig.GetAdapter("caddyfile").Adapt(text, map[string]any{"filename": path})
	}
	if err == nil {
		err = caddy.Load(text, true)
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("ready")
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// node is a Caddy in a process of its own, which can be killed and started
// again with what it has stored.
type node struct {
	t       testing.TB
	url     string
	folder  string
	line    string // where the gateway is
	program string // where the shop's program is
	storage string // Caddyfile, without the moment of death
	process *exec.Cmd
	dead    chan struct{}
}

func (n *node) caddyfile(storage string) string {
	return fmt.Sprintf(`{
	admin off
	persist_config off
	auto_https off
	storage %s
	log {
		output file %s
	}
}
%s {
	qfpay_jsapi {
		environment %s
		pay_page %s/q/direct
		app_code %s
		client_key {env.TEST_CLIENT_KEY}
		merchant_name "Harbour Pets"
		currency HKD
		item cat-food 128.00
		webhook %s {env.TEST_WEBHOOK_SECRET}
	}
}
`, storage, filepath.Join(n.folder, "log"), n.url, n.line, n.line, appCode, n.program)
}

// start starts the process and waits until it serves, or is dead.
func (n *node) start(storage string) {
	n.t.Helper()
	path := filepath.Join(n.folder, "Caddyfile")
	require.NoError(n.t, os.WriteFile(path, []byte(n.caddyfile(storage)), 0o600))
	n.process = exec.Command(os.Args[0])
	n.process.Env = append(os.Environ(), caddyfileOfNode+"="+path, "TEST_CLIENT_KEY="+clientKey, "TEST_WEBHOOK_SECRET="+secret)
	panics, err := os.OpenFile(filepath.Join(n.folder, "log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	require.NoError(n.t, err)
	defer func() { _ = panics.Close() }()
	n.process.Stderr = panics
	_, err = n.process.StdinPipe() // which ends with us
	require.NoError(n.t, err)
	output, err := n.process.StdoutPipe()
	require.NoError(n.t, err)
	require.NoError(n.t, n.process.Start())
	lines := bufio.NewReader(output)
	said, _ := lines.ReadString('\n')
	n.dead = make(chan struct{})
	go func(process *exec.Cmd, dead chan struct{}) {
		_, _ = io.Copy(io.Discard, lines)
		_ = process.Wait()
		close(dead)
	}(n.process, n.dead)
	if said = strings.TrimSpace(said); said != "ready" && said != "" {
		n.t.Fatal(said)
	}
}

// kill kills the process as a power cut would.
func (n *node) kill() {
	_ = n.process.Process.Kill()
	<-n.dead
}

func (n *node) isDead() bool {
	select {
	case <-n.dead:
		return true
	default:
		return false
	}
}

// freeAddress finds an address to listen on, below the ports that the system
// hands out by itself.
func freeAddress(t testing.TB) string {
	t.Helper()
	ports.Lock()
	defer ports.Unlock()
	for {
		ports.next++
		address := fmt.Sprintf("127.0.0.1:%d", ports.next)
		if listener, err := net.Listen("tcp", address); err == nil {
			_ = listener.Close()
			return address
		}
	}
}
