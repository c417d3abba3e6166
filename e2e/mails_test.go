package e2e

import (
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/mail"
)

// Every mail is looked at as a program for mails shows it: in a narrow pane and in a
// wide one, in the light and in the dark.
func TestEveryMailIsLegibleAndLoadsNothing(t *testing.T) {
	t.Parallel()
	mails, err := mail.Builtin().Samples()
	require.NoError(t, err)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, mails[strings.TrimPrefix(r.URL.Path, "/")])
	}))
	t.Cleanup(server.Close)
	reader := browse(t, "desktop")
	requests := reader.requests()
	for _, name := range slices.Sorted(maps.Keys(mails)) {
		reader.visit(server.URL + "/" + name)
		reader.legibleOn([]screen{{375, "light"}, {375, "dark"}, {1280, "light"}, {1280, "dark"}}, "mail-"+strings.ReplaceAll(name, " ", "-"))
		reader.on(screen{375, "light"})
		reader.evaluate(`document.querySelectorAll("bdi, li").forEach(text => text.append("`+aLongName+`"))`, nil)
		reader.fits(name + " with long names")
	}
	assert.Len(t, requests(), len(mails), "a mail is all that is loaded: %v", requests())
}

// requests returns a function that tells which addresses the browser asked for since.
func (b *browser) requests() func() []string {
	var (
		mutex     sync.Mutex
		addresses []string
	)
	chromedp.ListenTarget(b.ctx, func(happened any) {
		request, ok := happened.(*network.EventRequestWillBeSent)
		if !ok || strings.HasSuffix(request.Request.URL, "/favicon.ico") {
			return
		}
		mutex.Lock()
		defer mutex.Unlock()
		addresses = append(addresses, request.Request.URL)
	})
	return func() []string {
		mutex.Lock()
		defer mutex.Unlock()
		return slices.Clone(addresses)
	}
}
