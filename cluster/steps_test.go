package cluster

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	_ "github.com/caddy-qfpay/qfpay-jsapi/postgres"
)

// The moments of a step, or of a call to the gateway, at which a node is killed. A
// call has no middle.
const (
	beforeIt    moment = "before it"
	uncommitted moment = "after all of it was written and before the commit"
	afterIt     moment = "after it and before the node heard of that"
)

// watcherOfNode in the environment of a node is whom it asks before each step.
const watcherOfNode = "QFPAY_CLUSTER_WATCHER"

func init() {
	watcher := os.Getenv(watcherOfNode)
	if watcher == "" {
		return
	}
	for _, name := range []string{"sqlite", "postgres"} {
		open, _ := ledger.EngineNamed(name)
		ledger.RegisterEngine(name, func(ctx context.Context, address string, log *zap.Logger) (ledger.Ledger, error) {
			opened, err := open(ctx, address, log)
			return &watched{opened, watcher}, err
		})
	}
}

// watched is a ledger in a process that may be killed at a step.
type watched struct {
	ledger.Ledger
	watcher string
}

// Update implements ledger.Ledger.
func (w *watched) Update(ctx context.Context, step func(*ledger.Tx) error) error {
	at := w.ask(nameOfStep())
	dieIf(at == beforeIt)
	err := w.Ledger.Update(ctx, func(tx *ledger.Tx) error {
		if err := step(tx); err != nil {
			return err
		}
		dieIf(at == uncommitted)
		return nil
	})
	dieIf(at == afterIt)
	return err
}

// ask returns the moment of the step at which the node dies; "" if it lives on.
func (w *watched) ask(step string) moment {
	answer, err := http.Get(w.watcher + "?" + url.Values{"step": {step}}.Encode())
	if err != nil {
		return "" // the test is over
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(answer.Body)
	return moment(text)
}

func dieIf(now bool) {
	if now {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
}

// nameOfStep is the function that makes the step.
func nameOfStep() string {
	callers := make([]uintptr, 32)
	frames := runtime.CallersFrames(callers[:runtime.Callers(2, callers)])
	for {
		frame, more := frames.Next()
		_, name, _ := strings.Cut(frame.Function, "qfpay-jsapi/internal/")
		plumbing := strings.HasPrefix(name, "ledger.") || strings.HasPrefix(name, "orders.update") || strings.HasSuffix(name, ").changeOrder")
		if name != "" && !plumbing {
			return name
		}
		if !more {
			return "unknown"
		}
	}
}

// watcher knows each step that a node makes and each call to the gateway, in their
// order, and can end the node's life at one of them.
type watcher struct {
	server *httptest.Server

	onEnd func() // before the node dies
	kill  func()

	mu    sync.Mutex
	acts  []string // since it was armed
	arms  bool
	ready bool // the node has made its check at the start
	fatal int  // the act that is the last, from 1; 0 is none
	at    moment
}

func newWatcher(t testing.TB, onEnd, kill func()) *watcher {
	w := &watcher{onEnd: onEnd, kill: kill}
	w.server = httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(answer, string(w.note(r.URL.Query().Get("step"))))
	}))
	t.Cleanup(w.server.Close)
	return w
}

// note counts an act and returns the moment at which the node dies of it.
func (w *watcher) note(act string) moment {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.arms {
		w.ready = w.ready || act == callAct+queryCall // there is no order yet to ask about
		return ""
	}
	if w.acts = append(w.acts, act); len(w.acts) != w.fatal {
		return ""
	}
	w.onEnd()
	return w.at
}

// callAct is what an act is called that is a call to the gateway.
const callAct = "call "

// call counts a call. It reports true if the node died of it, before the gateway
// had it or after it did it.
func (w *watcher) call(r *http.Request, gateway http.Handler) (dead bool) {
	if r.URL.Path == oauthPage {
		return false // the payer's browser goes there
	}
	at := w.note(callAct + r.URL.Path)
	if at == "" {
		return false
	}
	if at != beforeIt {
		gateway.ServeHTTP(httptest.NewRecorder(), r)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.kill()
	return true
}

// isReady reports whether the node has made its check at the start, which asks the
// gateway at a time of its own.
func (w *watcher) isReady() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ready
}

// arm counts acts from now on, and makes one of them the node's last.
func (w *watcher) arm(fatal int, at moment) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.arms, w.acts, w.fatal, w.at = true, nil, fatal, at
}

// disarm ends the counting and returns what was done.
func (w *watcher) disarm() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.arms = false
	return slices.Clone(w.acts)
}

// rest returns when the node has done nothing for a while.
func (w *watcher) rest() {
	const quiet = 300 * time.Millisecond
	for before := -1; ; time.Sleep(quiet) {
		w.mu.Lock()
		now := len(w.acts)
		w.mu.Unlock()
		if now == before {
			return
		}
		before = now
	}
}
