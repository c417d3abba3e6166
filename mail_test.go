package qfpayjsapi_test

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// mailBlock has a server where nobody listens.
const mailBlock = "field email\nfield note\nmail smtp://127.0.0.1:1 {\nfrom shop@example.com\nto owner@example.com\nreceipt email\n}\n"

func TestAnAddressToWhichNoReceiptCanBeSentIsAskedForAgain(t *testing.T) {
	shop := openShop(t, withBlock(mailBlock))
	for _, address := range []string{"somebody", "a@example.com, b@example.com", "a@localhost"} {
		answer := shop.payer(wechat).post("/pay/cat-food", url.Values{"email": {address}, "note": {"no address either"}})
		assert.Equal(t, http.StatusBadRequest, answer.status, address)
		assert.Contains(t, answer.body, `id="wrong-email"`)
		assert.NotContains(t, answer.body, `id="wrong-note"`)
	}
	for _, address := range []string{"a@example.com", ""} {
		answer := shop.payer(wechat).post("/pay/cat-food", url.Values{"email": {address}})
		assert.Equal(t, http.StatusSeeOther, answer.status, address)
	}
}

func TestAShopsOwnMailsAreTriedWhenTheConfigurationIsLoaded(t *testing.T) {
	folder := t.TempDir()
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600))
	}
	write("mail-receipt.txt", "Our own thanks for {{.Sum}}")
	shop := openShop(t, withBlock(mailBlock+"templates "+folder))
	_, receipt := shop.buy("/pay/cat-food")
	assert.Contains(t, receipt.body, "Back to the shop", "pages are built in, though the folder has mails")

	write("mail-receipt.txt", "\n{{.Oops}}")
	assert.ErrorContains(t, shop.tryToLoad(), "templates: "+folder+": template: mail-receipt.txt:2:2")
	write("mail-receipt.txt", "Thanks")
	write("mail-recipe.html", "<p>Thanks")
	assert.ErrorContains(t, shop.tryToLoad(), "mail-recipe.html: there is no template of that name")
}

func TestALostMailIsInTheLogAndTheMetricsWithoutAddresses(t *testing.T) {
	shop := openShop(t, ownName, withBlock(mailBlock))
	order, _ := shop.buy("/pay/cat-food")
	shop.eventually("it is tried", func() bool { return shop.counted()["mail_deliveries_total failed"] >= 1 })
	assert.Len(t, shop.rows(`SELECT endpoint FROM deliveries WHERE subject = '`+order+`' AND endpoint LIKE 'mail-%' AND status = 'due'`), 1, "the owner, and no payer")
	assert.NotContains(t, shop.rows(`SELECT last_error FROM deliveries`)[0], "@")
}
