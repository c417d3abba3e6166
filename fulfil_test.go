package qfpayjsapi_test

import (
	"encoding/base64"
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAnOrderIsPackedSentAndThePayerSeesIt(t *testing.T) {
	told := make(chan []byte, 16)
	program := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		told <- text
	}))
	defer program.Close()
	shop := openShop(t, withOrders, withBlock("field name required\nwebhook "+program.URL+" whsec_"+base64.StdEncoding.EncodeToString([]byte("no-secret-but-a-test-of-this"))))
	payer, owner := shop.payer(wechat), shop.owner()
	posted := payer.post("/pay/cat-food?quantity=2&ref=R-1", url.Values{"name": {"sentinel-name"}})
	require.Equal(t, http.StatusSeeOther, posted.status, posted.body)
	callback := payer.oauth(posted.location)
	require.Equal(t, http.StatusFound, payer.get(callback).status)
	order := orderOf(t, callback)
	assert.Contains(t, owner.get("/orders").body, "Nothing to do", "an order that nobody has paid is not sent")
	require.NoError(t, shop.gateway.Pay(order))
	assert.NotContains(t, payer.get("/pay/return/"+order).body, "Sent on")

	list := owner.get("/orders")
	for _, part := range []string{order, "sentinel-name", "R-1", "<bdi>Cat food 猫粮</bdi></dt><dd>× 2</dd>"} {
		assert.Contains(t, list.body, part)
	}
	assert.Contains(t, owner.get("/orders?print=1").body, "sentinel-name")
	var todo struct{ Orders []struct{ Order string } }
	shop.caddyJSON(&todo, "orders", "--todo")
	require.Len(t, todo.Orders, 1)

	form := formValues(t, list, "fulfil")
	form.Set("note", "SF 1234 顺丰")
	done := owner.post("/orders"+html.UnescapeString(formAction(t, list)), form)
	require.Equal(t, http.StatusSeeOther, done.status, done.body)
	after := owner.get("/orders" + done.location).body
	assert.Contains(t, after, "The order is fulfilled.")
	assert.Contains(t, after, "Nothing to do")
	receipt := payer.get("/pay/return/" + order).body
	assert.Contains(t, receipt, "Sent on")
	assert.Contains(t, receipt, "<bdi>SF 1234 顺丰</bdi>")
	var status struct {
		FulfilledAt string `json:"fulfilled_at"`
		Note        string
	}
	require.NoError(t, json.Unmarshal([]byte(payer.get("/pay/status/"+order).body), &status))
	assert.Equal(t, "SF 1234 顺丰", status.Note)
	assert.NotEmpty(t, status.FulfilledAt)

	said := shop.caddy("", "fulfil", order, "--note", "SF 5678")
	require.NoError(t, said.err)
	assert.Contains(t, said.out, "SF 5678")
	notes := []any{}
	shop.eventually("the webhook is told of both notes", func() bool {
		select {
		case text := <-told:
			var message struct {
				Type string
				Data map[string]any
			}
			if json.Unmarshal(text, &message) == nil && message.Type == "order.fulfilled" {
				notes = append(notes, message.Data["note"])
				assert.NotEmpty(t, message.Data["fulfilled_at"])
				assert.Equal(t, order, message.Data["order"])
			}
		default:
		}
		return len(notes) == 2
	})
	assert.ElementsMatch(t, []any{"SF 1234 顺丰", "SF 5678"}, notes)

	code, detail := shop.office("DELETE", "/qfpay_jsapi/orders/"+order+"/fulfil", "")
	assert.Equal(t, http.StatusOK, code)
	assert.NotContains(t, detail, "fulfilled_at")
	assert.NotContains(t, payer.get("/pay/return/"+order).body, "Sent on")
	code, detail = shop.office("PUT", "/qfpay_jsapi/orders/"+order+"/fulfil", "{}")
	assert.Equal(t, http.StatusMethodNotAllowed, code)
	assert.Equal(t, "method not allowed: use POST, DELETE", detail["error"])
	shop.office("POST", "/qfpay_jsapi/orders/"+order+"/refund", `{"refund_id":"all"}`)
	code, detail = shop.office("POST", "/qfpay_jsapi/orders/"+order+"/fulfil", `{"note":"x"}`)
	assert.Equal(t, http.StatusConflict, code)
	assert.Equal(t, "the order was refunded: there is nothing to fulfil", detail["error"])
	for line := range strings.Lines(shop.log()) {
		if !strings.Contains(line, `"logger":"events"`) {
			assert.NotContains(t, line, "SF 1234", "notes are for the payer")
		}
	}
}
