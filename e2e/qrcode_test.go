package e2e

import (
	"bytes"
	"fmt"
	"image/png"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// scan reads the QR code on the browser's screen, as a phone does that sees all of it.
func (b *browser) scan() (link string) {
	b.t.Helper()
	var screen []byte
	b.do(chromedp.WaitVisible("svg.qr", chromedp.ByQuery), chromedp.CaptureScreenshot(&screen))
	picture, err := png.Decode(bytes.NewReader(screen))
	require.NoError(b.t, err)
	bitmap, err := gozxing.NewBinaryBitmapFromImage(picture)
	require.NoError(b.t, err)
	code, err := qrcode.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true})
	require.NoError(b.t, err)
	return code.GetText()
}

// post submits a form of the page that the browser is on, made for the purpose.
func (b *browser) post(action, field, value string) {
	b.t.Helper()
	b.evaluate(fmt.Sprintf(`{
		const form = document.createElement("form"), input = document.createElement("input");
		[form.method, form.action, input.name, input.value] = ["post", %q, %q, %q];
		form.append(input);
		document.body.append(form);
		setTimeout(() => form.submit());
	}`, action, field, value), nil)
}

func TestTheCodeOnTheDesktopsScreenIsReadWhateverTheOrderHolds(t *testing.T) {
	t.Parallel()
	site := open(t, "examples/gateway-account.caddyfile", "outside_wechat allow", "outside_wechat handoff")
	for name, order := range map[string]func(*browser){
		"one item": func(desktop *browser) { desktop.visit(site.shop + "/pay/cat-food") },
		"a cart": func(desktop *browser) {
			desktop.visit(site.shop + "/pay?item=cat-food:3&item=dog-treats&item=goldfish-bowl&ref=" + strings.Repeat("r", 64))
		},
		"a long note": func(desktop *browser) {
			desktop.visit(site.shop)
			desktop.post("/pay/cat-food", "note", strings.Repeat("猫", 250))
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, scheme := range []string{"light", "dark"} {
				desktop, phone := browse(t, "desktop"), browse(t, "android")
				desktop.on(screen{1280, scheme})
				order(desktop)
				page := desktop.at("/pay?handoff=")
				link := desktop.scan()
				var side int
				desktop.evaluate(`document.querySelector("svg.qr").viewBox.baseVal.width`, &side)
				assert.Less(t, side, 61, "modules with the margin")
				assert.Equal(t, page, link)
				phone.visit(link)
				phone.at("/q/direct")
				phone.press(payButton)
				phone.reads("Payment received")
				desktop.at("/pay/return/")
			}
		})
	}
}
