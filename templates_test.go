package qfpayjsapi_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheShopsOwnPagesTakeThePlaceOfTheBuiltInOnes(t *testing.T) {
	folder := t.TempDir()
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600))
	}
	write("receipt.html", `<!doctype html><title>x</title><p>Our own thanks for {{.Money .Order.Amount}}`)
	shop := openShop(t, withBlock("templates "+folder))
	payer := shop.payer(wechat)
	_, order := payer.prepare("/pay/cat-food")
	require.NoError(t, shop.gateway.Pay(order))
	receipt := payer.get("/pay/return/" + order)
	assert.Equal(t, "<!doctype html><title>x</title><p>Our own thanks for HK$128.00", receipt.body)
	assert.Contains(t, receipt.header.Get("Content-Security-Policy"), "style-src 'self' ")
	assert.Contains(t, shop.payer(wechat).get("/pay/nothing").body, "Back to the shop", "the others are built in")

	write("receipt.html", "<p>\n{{.Oops}}")
	assert.ErrorContains(t, shop.tryToLoad(), "templates: "+folder+": template: receipt.html:2:2")
	assert.Equal(t, receipt.body, payer.get("/pay/return/"+order).body, "a rejected reload leaves the old pages")

	write("receipt.html", "<p>New thanks")
	shop.load()
	assert.Equal(t, "<p>New thanks", payer.get("/pay/return/"+order).body)
}

func TestACartIsListedLineByLine(t *testing.T) {
	shop := openShop(t)
	payer := shop.payer(wechat)
	_, order := payer.prepare("/pay?item=cat-food:2&item=dog-treats")
	require.NoError(t, shop.gateway.Pay(order))
	receipt := payer.get("/pay/return/" + order).body
	for _, part := range []string{
		`<dt><bdi>Cat food 猫粮</bdi> × 2</dt><dd>HK$256.00</dd>`, `<dt><bdi>dog-treats</bdi></dt><dd>HK$46.50</dd>`, `<p class="sum">HK$302.50</p>`,
	} {
		assert.Contains(t, receipt, part)
	}
	desk := shop.payer(desktop).get("/pay?item=cat-food:2&item=dog-treats").body
	assert.Contains(t, desk, `<dt><bdi>Cat food 猫粮</bdi> × 2</dt><dd>HK$256.00</dd>`)
}
