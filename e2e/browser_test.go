package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The user agents of the browsers that open pay links.
var agents = map[string]string{
	"android":  "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/126.0 Mobile Safari/537.36 XWEB/1260 MMWEBSDK/20240404 MicroMessenger/8.0.49 WeChat/arm64",
	"iphone":   "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 MicroMessenger/8.0.49 NetType/WIFI",
	"windows":  "Mozilla/5.0 (Windows NT 10.0; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/122 Safari/537.36 MicroMessenger/7.0.20 WindowsWechat XWEB/11275",
	"wecom":    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/116 Safari/537.36 wxwork/4.1.22 MicroMessenger/7.0.1 WindowsWechat",
	"desktop":  "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36",
	"phone":    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Mobile/15E148 Safari/604.1",
	"chrome":   "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36",
	"facebook": "Mozilla/5.0 (Linux; Android 14; Pixel 8; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/126.0 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/470.0.0.0;]",
}

// patience bounds every wait for a page.
const patience = time.Minute

// watch is for people who want to see what the browsers do.
var watch = flag.Duration("watch", 0, "show the browsers, and wait so long after each step, such as 1s")

// opened counts the browsers, which stand beside each other when they are watched.
var opened atomic.Int32

func windowSize(agent string) chromedp.ExecAllocatorOption {
	if agent == "desktop" {
		return chromedp.WindowSize(1100, 900)
	}
	return chromedp.WindowSize(400, 800)
}

// browser is one person's browser with cookies of its own, on one tab.
type browser struct {
	t      testing.TB
	ctx    context.Context
	screen screen // zero for the window that it opened with
}

// browse starts a Chromium that says it is one of [agents].
func browse(t testing.TB, agent string) *browser {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserAgent(agents[agent]), windowSize(agent),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("accept-lang", "en"),
		chromedp.Flag("allow-pre-commit-input", true),                   // a click before a page's first frame is dropped otherwise
		chromedp.Flag("disable-features", "Translate,BackForwardCache"), // out of which chromedp sees no page
	)
	if *watch > 0 {
		place := 150 * (opened.Add(1) % 6)
		options = append(options, chromedp.Flag("headless", false), chromedp.Flag("hide-scrollbars", false), chromedp.Flag("window-position", fmt.Sprintf("%d,%d", place, place/4)))
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(func() { cancel(); stop() })
	b := &browser{t: t, ctx: ctx}
	b.do(network.Enable())
	return b
}

// tab opens another tab of the same browser.
func (b *browser) tab() *browser {
	ctx, cancel := chromedp.NewContext(b.ctx)
	b.t.Cleanup(cancel)
	return &browser{t: b.t, ctx: ctx}
}

func (b *browser) do(actions ...chromedp.Action) {
	b.t.Helper()
	require.NoError(b.t, b.try(actions...), "at %s", b.peek())
}

func (b *browser) try(actions ...chromedp.Action) error {
	b.t.Helper()
	if _, started := b.ctx.Deadline(); !started && chromedp.FromContext(b.ctx).Target == nil {
		require.NoError(b.t, chromedp.Run(b.ctx)) // the browser ends with the context it starts in
	}
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if *watch > 0 {
		actions = append([]chromedp.Action{page.BringToFront()}, actions...)
		defer time.Sleep(*watch)
	}
	return chromedp.Run(ctx, actions...)
}

// peek is where the browser is, for messages.
func (b *browser) peek() (address string) {
	ctx, cancel := context.WithTimeout(b.ctx, 2*time.Second)
	defer cancel()
	_ = chromedp.Run(ctx, chromedp.Location(&address))
	return address
}

func (b *browser) visit(address string) { b.t.Helper(); b.do(chromedp.Navigate(address)) }

// press clicks the first element and waits for nothing. It looks again where the page
// is replaced by the next one meanwhile.
func (b *browser) press(selector string) {
	b.t.Helper()
	var err error
	for until := time.Now().Add(patience); time.Now().Before(until); {
		err = b.try(chromedp.WaitVisible(selector, chromedp.ByQuery), chromedp.Click(selector, chromedp.ByQuery))
		if gone, ok := errors.AsType[*cdproto.Error](err); !ok || gone.Code != nodeIsGone {
			break
		}
	}
	require.NoError(b.t, err, "at %s", b.peek())
}

// nodeIsGone is what Chromium answers about a node that is no longer there.
const nodeIsGone = -32000

// at waits until the address holds part.
func (b *browser) at(part string) (address string) {
	b.t.Helper()
	require.Eventually(b.t, func() bool { address = b.peek(); return strings.Contains(address, part) }, patience, 50*time.Millisecond,
		"the browser does not come to %s", part)
	return address
}

// reads waits until the page holds a text.
func (b *browser) reads(text string) {
	b.t.Helper()
	if !assert.Eventually(b.t, func() bool { return strings.Contains(b.text(), text) }, patience, 100*time.Millisecond) {
		require.FailNow(b.t, "a text is not on the page", "%q at %s, which reads: %s", text, b.peek(), b.text())
	}
}

func (b *browser) text() (text string) {
	ctx, cancel := context.WithTimeout(b.ctx, 2*time.Second)
	defer cancel()
	_ = chromedp.Run(ctx, chromedp.Evaluate(`document.body ? document.body.innerText : ""`, &text))
	return text
}

func (b *browser) evaluate(script string, result any) {
	b.t.Helper()
	b.do(chromedp.Evaluate(script, result))
}

// shoot keeps a picture of the page, when there is something to see.
func (b *browser) shoot(name string) {
	b.t.Helper()
	var picture []byte
	b.do(chromedp.WaitVisible("body", chromedp.ByQuery), chromedp.FullScreenshot(&picture, 100))
	require.NoError(b.t, os.WriteFile(filepath.Join("screenshots", name+".png"), picture, 0o644))
}

// back and forward are the buttons of the browser. They wait for nothing; the
// script ends before the page that it runs in.
func (b *browser) back()    { b.t.Helper(); b.evaluate(`setTimeout(() => history.back())`, nil) }
func (b *browser) forward() { b.t.Helper(); b.evaluate(`setTimeout(() => history.forward())`, nil) }

// before runs a script in every page before its own.
func (b *browser) before(script string) {
	b.do(chromedp.ActionFunc(func(ctx context.Context) error {
		_, err := page.AddScriptToEvaluateOnNewDocument(script).Do(ctx)
		return err
	}))
}

func (b *browser) forgetCookies() { b.do(network.ClearBrowserCookies()) }

// withoutScript switches the scripts of pages off.
func (b *browser) withoutScript() { b.do(emulation.SetScriptExecutionDisabled(true)) }

// speaks sets the languages that the browser asks for.
func (b *browser) speaks(languages string) {
	b.do(network.SetExtraHTTPHeaders(network.Headers{"Accept-Language": languages}))
}

// violations runs axe in the page and returns what it finds, a line each.
func (b *browser) violations() (found []string) {
	b.t.Helper()
	var text string
	b.evaluate(axe+`;0`, nil)
	await := chromedp.Evaluate(`axe.run().then(r => JSON.stringify(r.violations.map(v => v.id + ": " + v.help + ": " + v.nodes.map(n => n.html).join(" "))))`,
		&text, func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) })
	b.do(await)
	require.NoError(b.t, json.Unmarshal([]byte(text), &found))
	return found
}
