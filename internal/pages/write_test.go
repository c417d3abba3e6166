package pages

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/locale"
)

func TestHeaders(t *testing.T) {
	everyPage(t, sampleOrder(), func(t *testing.T, tag string, w *httptest.ResponseRecorder) {
		h := w.Header()
		assert.Equal(t, "text/html; charset=utf-8", h.Get("Content-Type"))
		assert.Equal(t, tag, h.Get("Content-Language"))
		assert.Equal(t, "Accept-Language", h.Get("Vary"))
		assert.Equal(t, "no-store", h.Get("Cache-Control"))
		assert.Equal(t, "no-referrer", h.Get("Referrer-Policy"))
		assert.Equal(t, "nosniff", h.Get("X-Content-Type-Options"))
		assert.Equal(t, strconv.Itoa(w.Body.Len()), h.Get("Content-Length"))
	})
}

func TestPolicyAllowsWhatIsThereAndNothingElse(t *testing.T) {
	everyPage(t, sampleOrder(), func(t *testing.T, _ string, w *httptest.ResponseRecorder) {
		all := elements(t, w.Body.String())
		want := []string{"default-src 'none'"}
		require.Len(t, named(all, "style"), 1)
		want = append(want, "style-src "+hash(inner(named(all, "style")[0])), "img-src data:")
		scripts := ""
		for _, n := range named(all, "script") {
			scripts += " " + hash(inner(n))
		}
		if scripts != "" {
			want = append(want, "script-src"+scripts)
		}
		if strings.Contains(w.Body.String(), "fetch(") {
			want = append(want, "connect-src 'self'")
		}
		if len(named(all, "form")) == 0 {
			want = append(want, "form-action 'none'")
		}
		want = append(want, "base-uri 'none'", "frame-ancestors 'none'")
		assert.Equal(t, strings.Join(want, "; "), w.Header().Get("Content-Security-Policy"))
	})
}

// hash is the source expression that allows the inline element with content.
func hash(content string) string {
	sum := sha256.Sum256([]byte(content))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

func TestFewPagesHaveAScript(t *testing.T) {
	scripted := []string{"handoff phone", "handoff watch", "handoff watch phone", "handoff paying", "handoff paying phone", "handoff cart",
		"sheet", "unpaid", "confirming", "checking", "failed", "wallets", "wallets in app"}
	for name, page := range samples(sampleOrder()) {
		policy := write(t, "en", page).Header().Get("Content-Security-Policy")
		assert.Equal(t, slices.Contains(scripted, name), strings.Contains(policy, "script-src"), name)
	}
}

func TestStatusAndHead(t *testing.T) {
	r := httptest.NewRequest(http.MethodHead, "/pay", nil)
	w := httptest.NewRecorder()
	require.NoError(t, builtin.Write(w, r, Expired.Status(), Problem{Kind: Expired}))
	assert.Equal(t, http.StatusGone, w.Code)
	assert.Zero(t, w.Body.Len())
	assert.NotEmpty(t, w.Header().Get("Content-Security-Policy"))
	assert.NotEqual(t, "0", w.Header().Get("Content-Length"))
}

func TestAReferrerPolicyThatIsThereIsKept(t *testing.T) {
	assert.Equal(t, "no-referrer", write(t, "en", Failed{}).Header().Get("Referrer-Policy"))
	w := httptest.NewRecorder()
	w.Header().Set("Referrer-Policy", "strict-origin")
	require.NoError(t, builtin.Write(w, httptest.NewRequest(http.MethodGet, "/", nil), 200, Failed{}))
	assert.Equal(t, []string{"strict-origin"}, w.Header().Values("Referrer-Policy"))
}

func TestVaryIsKept(t *testing.T) {
	w := httptest.NewRecorder()
	w.Header().Set("Vary", "Accept")
	require.NoError(t, builtin.Write(w, httptest.NewRequest(http.MethodGet, "/", nil), 200, Failed{}))
	assert.Equal(t, []string{"Accept", "Accept-Language"}, w.Header().Values("Vary"))
}

func TestNothingIsWrittenForALinkThatNobodyCanOpen(t *testing.T) {
	for _, link := range []string{"", "/pay", "javascript:alert(1)", "//shop.example/pay"} {
		w := httptest.NewRecorder()
		err := builtin.Write(w, httptest.NewRequest(http.MethodGet, "/", nil), 200, Handoff{Link: link})
		require.ErrorIs(t, err, errLink)
		assert.Empty(t, w.Header())
		assert.Zero(t, w.Body.Len())
	}
}

func TestNothingIsWrittenWhenRenderingFails(t *testing.T) {
	s, err := builtin.newScreen(&locale.Locale{Tag: "en"}, Failed{})
	require.NoError(t, err)
	body, err := s.render()
	require.Error(t, err)
	assert.Nil(t, body)
}

// cut is a connection that breaks while the page is written.
type cut struct{ http.ResponseWriter }

var errCut = errors.New("connection cut")

func (cut) Write([]byte) (int, error) { return 0, errCut }

func TestAFailingConnectionIsReported(t *testing.T) {
	err := builtin.Write(cut{httptest.NewRecorder()}, httptest.NewRequest(http.MethodGet, "/", nil), 200, Failed{})
	assert.ErrorIs(t, err, errCut)
}
