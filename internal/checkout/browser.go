package checkout

import (
	"net/http"
	"slices"
	"strings"

	"github.com/munnerz/goautoneg"
)

// causesNothing answers requests that must not lead to a payment: HEAD, and
// those that announce themselves as prefetch.
func causesNothing(w http.ResponseWriter, r *http.Request) bool {
	switch {
	case r.Method == http.MethodHead:
		w.WriteHeader(http.StatusOK)
	case isPrefetch(r.Header):
		w.WriteHeader(http.StatusNoContent)
	default:
		return false
	}
	return true
}

func isPrefetch(header http.Header) bool {
	for _, name := range []string{"Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"} {
		purpose := strings.ToLower(header.Get(name))
		if strings.Contains(purpose, "prefetch") || strings.Contains(purpose, "preview") {
			return true
		}
	}
	return false
}

// isOutside reports whether the browser cannot pay as in WeChat.
func (c *Checkout) isOutside(r *http.Request) bool {
	return !inWeChat(r) && c.OutsideWeChat != "allow"
}

// weChatToken is what WeChat's browser calls itself.
const weChatToken = "MicroMessenger"

// inWeChat reports whether the browser is WeChat's own, which alone can pay there.
// WeCom (wxwork) and the pages of mini programs name WeChat's token too, but
// cannot.
func inWeChat(r *http.Request) bool {
	agent := r.UserAgent()
	return strings.Contains(agent, weChatToken) && !strings.Contains(agent, "wxwork") &&
		!strings.Contains(agent, "miniProgram") && !strings.Contains(agent, "MiniProgram") // of the phone, and of the desktop
}

// apps are the names by which browsers inside of apps give themselves away. They
// may be unable to open another app, such as a wallet.
var apps = []string{
	"FBAN", "FBAV", "FB_IAB", "Instagram", "WhatsApp", "Line/", "Twitter", "Snapchat", "Pinterest", "LinkedInApp",
	"TikTok", "musical_ly", "BytedanceWebview", "XiaoHongShu", "Weibo", "Telegram", "AlipayClient", "; wv)", weChatToken,
}

// inApp reports whether an app shows the page in a browser of its own.
func inApp(r *http.Request) bool {
	agent := r.UserAgent()
	return slices.ContainsFunc(apps, func(app string) bool { return strings.Contains(agent, app) })
}

// onPhone reports whether the browser runs on the device that also runs
// WeChat, so that scanning its screen is no way to get there.
func onPhone(r *http.Request) bool {
	agent := r.UserAgent()
	return strings.Contains(agent, "Mobile") || strings.Contains(agent, "Android") || strings.Contains(agent, "iPhone")
}

func prefersJSON(r *http.Request) bool {
	return goautoneg.Negotiate(r.Header.Get("Accept"), []string{"text/html", "application/json"}) == "application/json"
}
