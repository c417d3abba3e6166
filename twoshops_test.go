package qfpayjsapi_test

import (
	"crypto/md5"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

const otherKey = "key-of-the-other-shop"

// withAnotherShop puts another merchant's shop beside the shop, at /other, which
// sells the same things for less.
func withAnotherShop(t *testing.T) set {
	t.Setenv("TEST_QFPAY_OTHER_KEY", otherKey)
	return func(s *shop, _ *qfpaytest.Config) {
		s.site += `qfpay_jsapi {
			environment http://127.0.0.1:1
			app_code OTHERAPPCODE
			client_key {env.TEST_QFPAY_OTHER_KEY}
			merchant_name "Other"
			currency HKD
			path /other
			name other
			ledger sqlite ` + s.file + `
			item cat-food 1.28
		}
		`
	}
}

func TestANotificationOfOneShopPaysNoOrderOfAnother(t *testing.T) {
	shop := openShop(t, withAnotherShop(t))
	_, order := shop.payer(wechat).prepare("/pay/cat-food")
	body := notification(order, nil)
	notify := func(path, key string) reply {
		gateway := shop.payer("gateway").with("X-QF-SIGN", fmt.Sprintf("%X", md5.Sum([]byte(body+key))))
		return gateway.do(http.MethodPost, path, "application/json", strings.NewReader(body))
	}
	assert.Equal(t, http.StatusUnauthorized, notify("/pay/notify", otherKey).status)
	assert.Equal(t, http.StatusUnauthorized, notify("/other/notify", clientKey).status)
	assert.Equal(t, http.StatusOK, notify("/other/notify", otherKey).status, "it is the other gateway's word")
	assert.Equal(t, []string{"claimed", "prepared"}, shop.history(order))
	assert.Equal(t, []string{"other 20261123000200020000000001"}, shop.orphans(), "about no order of that shop")
	assert.Equal(t, http.StatusNotFound, shop.payer(desktop).get("/other/status/"+order).status)
	assert.Equal(t, http.StatusOK, notify("/pay/notify", clientKey).status)
	assert.Contains(t, shop.history(order), "paid")
}

func TestACookieOfOneShopOpensNothingAtAnother(t *testing.T) {
	shop := openShop(t, withAnotherShop(t))
	cheap := shop.payer(wechat)
	start := cheap.get("/other/cat-food")
	require.Equal(t, http.StatusFound, start.status)
	require.Len(t, start.cookies, 1)
	assert.Equal(t, "/other", start.cookies[0].Path, "browsers keep it from the first shop")
	order := strings.TrimPrefix(start.cookies[0].Name, "qfpay_")

	payer := shop.payer(wechat).with("Cookie", start.cookies[0].Name+"="+start.cookies[0].Value)
	assert.Equal(t, http.StatusForbidden, payer.get("/pay/callback/"+order+"?code=c").status)
	assert.Equal(t, http.StatusFound, payer.get("/pay/cat-food").status)
	assert.Zero(t, shop.gateway.Calls("openid"))

	handedOn := strings.TrimPrefix(handedOver(t, shop.payer(desktop).get("/other/cat-food")), "/other?handoff=")
	assert.Equal(t, http.StatusForbidden, shop.payer(wechat).get("/pay?handoff="+handedOn).status)
}
