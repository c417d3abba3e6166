package e2e

import (
	"bytes"
	"flag"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

var pictures = flag.Bool("pictures", false, "draw the pictures of the documents again, from what real pages show")

// frame is a part of a picture: a page in a window of so many CSS pixels.
type frame struct {
	browser       *browser
	width, height int64
}

const (
	pictureScale = 1.5 // pixels of a picture in one of CSS
	pictureGap   = 16  // between frames, CSS pixels
)

// TestPictures draws docs/pages.png and docs/orders.png, when it is asked to.
func TestPictures(t *testing.T) {
	if !*pictures {
		return // what a page looks like differs a little from machine to machine
	}
	t.Run("pages", func(t *testing.T) {
		site := open(t, "examples/gateway-account.caddyfile", "outside_wechat allow", "outside_wechat handoff")
		desktop := browse(t, "desktop")
		desktop.visit(site.shop + "/pay/cat-food?quantity=2")
		desktop.reads("Scan with WeChat to pay")
		phone, small := browse(t, "iphone"), browse(t, "android")
		for _, payer := range []*browser{phone, small} {
			payer.visit(site.shop + "/pay/cat-food")
			payer.press(payButton)
			payer.reads("Payment received")
		}
		small.on(smallAndDark)
		draws(t, "pages", []frame{{desktop, 840, 690}, {phone, 375, 690}, {small, 320, 690}})
	})
	t.Run("orders", func(t *testing.T) {
		site := openMonth(t)
		owner := browse(t, "desktop")
		owner.visit(strings.Replace(site.shop, "http://", "http://owner:demo@", 1) + "/orders")
		order := owner.tab()
		now := time.Now().In(time.FixedZone("UTC+8", 8*60*60))
		first := time.Date(now.Year(), now.Month()-1, 1, 0, 0, 0, 0, now.Location())
		owner.visit(site.shop + "/orders?from=" + first.Format(time.DateOnly) + "&to=" + first.AddDate(0, 1, -1).Format(time.DateOnly))
		order.visit(site.shop + "/orders?status=partially_refunded&from=" + first.Format(time.DateOnly))
		order.press(".what a")
		order.at("?order=")
		draws(t, "orders", []frame{{owner, 960, 1080}, {order, 960, 1080}})
	})
}

// openMonth opens the example with the orders page, where a month was sold.
func openMonth(t *testing.T) *site {
	ledger := filepath.Join(t.TempDir(), "ledger.db")
	require.NoError(t, run("../bench", "go", "run", "./cmd/month", ledger, "harbour-pets"))
	return open(t, "examples/orders-page.caddyfile", `merchant_name "`, "name harbour-pets\n\t\tmerchant_name \"", "ledger sqlite ", "ledger sqlite "+ledger+" #")
}

// draws puts frames beside each other, as a file of docs.
func draws(t *testing.T, name string, frames []frame) {
	t.Helper()
	var width, height int64
	for i, f := range frames {
		width, height = width+f.width, max(height, f.height)
		if i > 0 {
			width += pictureGap
		}
	}
	scaled := func(pixels int64) int { return int(float64(pixels) * pictureScale) }
	whole := image.NewRGBA(image.Rect(0, 0, scaled(width), scaled(height)))
	draw.Draw(whole, whole.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
	var left int64
	for _, f := range frames {
		var shot []byte
		f.browser.do(
			emulation.SetDeviceMetricsOverride(f.width, f.height, pictureScale, false),
			emulation.SetScrollbarsHidden(true),
			chromedp.CaptureScreenshot(&shot),
		)
		part, err := png.Decode(bytes.NewReader(shot))
		require.NoError(t, err)
		draw.Draw(whole, part.Bounds().Add(image.Pt(scaled(left), 0)), part, image.Point{}, draw.Src)
		left += f.width + pictureGap
	}
	file, err := os.Create(filepath.Join("..", "docs", name+".png"))
	require.NoError(t, err)
	defer file.Close()
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	require.NoError(t, encoder.Encode(file, whole))
}
