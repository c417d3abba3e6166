package qfpay

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestWhatACodeMeansToACall(t *testing.T) {
	for name, test := range map[string]struct {
		call, body string
		outcome    Outcome
		fault      Fault
		meaning    string
	}{
		"a wrong signature": {
			callPayment, `{"respcd": "1108", "resperr": "\u7b7e\u540d\u9519\u8bef", "respmsg": ""}`,
			Refused, FaultShop, "bad signature or key",
		},
		"a wrong mchid": {
			callPayment, `{"respcd": "1108", "resperr": "MCHCODE\u975e\u6cd5", "respmsg": ""}`,
			Refused, FaultShop, "wrong mchid",
		},
		"a wrong mchid, in small letters": {
			callQuery, `{"respcd": "1108", "resperr": "", "respmsg": "mchcode error"}`,
			Refused, FaultShop, "wrong mchid",
		},
		"a wrong mchid, at the openid": {
			callOpenID, `{"respcd": "1108", "resperr": "MCHCODE\u975e\u6cd5", "respmsg": ""}`,
			Refused, FaultShop, "wrong mchid",
		},
		"a way of paying that is not activated": {
			callPayment, `{"respcd": "1104", "resperr": "filter error", "respmsg": ""}`,
			Refused, FaultShop, "this way of paying is not activated for your account: ask QFPay",
		},
		"the same, as it is written elsewhere": {
			callOpenID, `{"respcd": "1104", "resperr": "filter_error(\u83b7\u53d6\u7528\u6237\u652f\u4ed8\u901a\u9053\u5931\u8d25)", "respmsg": ""}`,
			Refused, FaultShop, "this way of paying is not activated for your account: ask QFPay",
		},
		"another parameter": {
			callPayment, `{"respcd": "1104", "resperr": "txamt error", "respmsg": ""}`,
			Refused, FaultRequest, "bad request: wrong parameter",
		},
		"an openid of another official account": {
			callPayment, `{"respcd": "1147", "resperr": "sub_openid\u4e0esub_appid\u4e0d\u5339\u914d", "respmsg": ""}`,
			Refused, FaultShop, "this openid is of another official account",
		},
		"another error of WeChat's": {
			callPayment, `{"respcd": "1147", "resperr": "\u7cfb\u7edf\u7e41\u5fd9", "respmsg": ""}`,
			Refused, FaultPayer, "WeChat refuses the payment",
		},
		"bad data of a web service": {
			callPayment, `{"respcd": "2003", "resperr": "", "respmsg": ""}`,
			Unknown, FaultGateway, "the gateway could not use the data",
		},
		"bad data, at the openid": {
			callOpenID, `{"respcd": "2003", "resperr": "", "respmsg": ""}`,
			Refused, FaultPayer, "the payer's one-time code was not accepted",
		},
		"a code that nobody lists, at the openid": {
			callOpenID, `{"respcd": "9999", "resperr": "", "respmsg": ""}`,
			Refused, FaultPayer, "the payer's one-time code was not accepted",
		},
		"a code that nobody lists": {callPayment, `{"respcd": "9999"}`, Unknown, FaultGateway, ""},
		"a misconfigured account, at the openid": {
			callOpenID, `{"respcd": "1203", "resperr": "", "respmsg": ""}`,
			Refused, FaultShop, "shop not allowed: the account is misconfigured, or the mchid is wrong",
		},
		"a trade that cannot be closed": {
			callClose, `{"respcd": "1297", "resperr": "", "respmsg": ""}`,
			Unknown, FaultGateway, "not closed: the trade cannot be closed, or the channel is busy",
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := asError(t, calls[test.call](t.Context(), newClient(t, says(200, test.body))))
			assert.Equal(t, test.outcome, e.Outcome)
			assert.Equal(t, test.fault, e.Fault)
			assert.Equal(t, test.meaning, e.Meaning())
			if test.meaning != "" {
				assert.ErrorContains(t, e, ": "+test.meaning)
			}
		})
	}
}

func TestEveryKnownCodeHasAMeaningForEveryCall(t *testing.T) {
	for respcd, general := range codes {
		assert.Len(t, respcd, 4)
		for _, call := range []string{callOpenID, callPayment, callQuery, callClose, callRefund} {
			meant := understand(call, respcd, "")
			assert.NotEmpty(t, meant.meaning, "%s %s", call, respcd)
			assert.NotZero(t, meant.outcome, "%s %s", call, respcd)
			assert.NotZero(t, meant.fault, "%s %s", call, respcd)
			if general.fault == FaultShop {
				assert.Equal(t, general, meant, "%s at %s", respcd, call)
			}
		}
	}
	assert.Empty(t, (&Error{Call: callOpenID}).Meaning(), "a call without an answer")
}

// listed are the codes of the documentation that this project works from.
const listed = "1143 1145 2999 1161 1101 1295 1296 1297 1298 1252 1108 2003 1203 1103 1104 1102 2011 1251 1136 1268 1142 1264 1181 " +
	"2005 1263 2007 1260 1125 1262 1269 1265 1155 1261 1266 1267 1270 1271 1272 1124 1100 1205 1241 1242 1243 1250 1254 1294 " +
	"1113 1114 1115 1119 1122 1135 1140 1118 1123 1147 1201 1202 1204"

func TestNoKnownCodeIsWithoutWords(t *testing.T) {
	for respcd := range strings.FieldsSeq(listed) {
		assert.NotEmpty(t, (&Error{Call: callPayment, Respcd: respcd}).Meaning(), respcd)
	}
	assert.Len(t, codes, len(strings.Fields(listed)))
}

func TestWhatARowMeans(t *testing.T) {
	for want, row := range map[string]string{
		"success":                          `{"order_type": "payment", "respcd": "0000", "errmsg": ""}`,
		"still open":                       `{"order_type": "payment", "respcd": "1143", "errmsg": ""}`,
		"closed":                           `{"order_type": "payment", "respcd": "1264", "errmsg": "wrong cancel"}`,
		"the channel is still at work":     `{"order_type": "refund", "respcd": "2999", "errmsg": null}`,
		"the amount is wrong":              `{"order_type": "refund", "respcd": "1266", "errmsg": ""}`,
		"the payment was refunded already": `{"order_type": "refund", "respcd": "1262", "errmsg": ""}`,
		"":                                 `{"order_type": "refund", "respcd": "9999", "errmsg": "?"}`,
	} {
		client := newClient(t, says(200, fmt.Sprintf(`{"respcd": "0000", "data": [%s]}`, row)))
		trades, err := client.Query(t.Context(), Query{Syssn: "1"})
		assert.NoError(t, err)
		assert.Equal(t, want, trades[0].Meaning(), row)
	}
}
