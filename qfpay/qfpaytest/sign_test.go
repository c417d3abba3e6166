package qfpaytest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestParametersAreSignedByTheVectors(t *testing.T) {
	const published = "address=TST&bankaccount=168477081838&bankaddr=TST&bankcity=Hong Kong&bankcode=123&bankcountry=Hong Kong&bankname=HSBC&bankswiftcode=HSBCHKHHHKH&bankuser=Peter&channel_type=&city=Hong Kong&country=Hong Kong&email=peter@test.com&idnumber=172845391795&legalperson=Peter&licenseactive_date=20160810&licensenumber=123456&mcc_id=21002&mobile=123456&name=Peter &shopname=PeterShopR&username=peter@test.com"
	cases := map[string]struct {
		params          params
		key, md5, sha25 string
	}{
		"published by QFPay": {
			params: pairs(published),
			key:    "001c49ce1d444994b419934286eb07b40f2",
			md5:    "3A7A3BBA647FB6FBC28F6687D78212E2",
			sha25:  "3da3e63eea1fab7325609a0720b3c1c65167dbcb79c65ae7385febcb738b2a01",
		},
		"short": {
			params: pairs("bcd=value2&abc=value1&bad=value3"),
			key:    "Key",
			md5:    "FE90E1859AF37371A06415CF19F6614F",
			sha25:  "55bed8288586b02e3836bf0c4baec24c002b1c87e1c355f356a3547ab97a64b4",
		},
		"not ASCII":        {params: pairs("txamt=100&goods_name=茶🍵"), key: "TESTKEY", md5: "11F857B7A6E46B84471CE05FE683F8EA"},
		"sorted by key":    {params: pairs("a1=2&a=1"), key: "K", md5: "F3FF67CD0C0D64C66475ABEEB615030E"},
		"raw redirect_uri": {params: params{"app_code": "APPCODE0000000000000000000000000", "mchid": "MCH123", "redirect_uri": "https://pay.example.com/cb?s=a%2Fb&n=1"}, key: "TESTKEY", md5: "51B95A0A137A8C3BE4EEE544CFD6183A"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			sign := newSigner(c.key)
			assert.Equal(t, c.md5, sign.params(signMD5, c.params))
			if c.sha25 != "" {
				assert.Equal(t, strings.ToUpper(c.sha25), sign.params(signSHA256, c.params))
			}
		})
	}
}

func TestNotificationsLookLikePythonAndAreSignedByTheVector(t *testing.T) {
	body := object{
		must("status", "1"), must("notify_type", "payment"), must("out_trade_no", "T1"),
		must("syssn", "20250101000200020000000001"), must("txamt", "100"), must("txcurrcd", "HKD"),
		must("goods_name", "茶🍵/a"),
	}.encode(pythonSpacing)
	assert.Equal(t, `{"status": "1", "notify_type": "payment", "out_trade_no": "T1", "syssn": "20250101000200020000000001", "txamt": "100", "txcurrcd": "HKD", "goods_name": "\u8336\ud83c\udf75/a"}`, string(body))
	assert.Equal(t, "31892407BCA814C83BA544DD876AD67D", newSigner("TESTKEY0123456789TESTKEY01234567")(signMD5, body))
}

func TestStringsAreEscapedAsPythonDoes(t *testing.T) {
	cases := map[string]string{
		"plain / text":   `"plain / text"`,
		"\"\\":           `"\"\\"`,
		"\n\r\t\b\f\x01": `"\n\r\t\b\f\u0001"`,
		"\x7f":           `"\u007f"`,
		"é茶🍵":            `"\u00e9\u8336\ud83c\udf75"`,
	}
	for text, want := range cases {
		assert.Equal(t, want, string(appendString(nil, text)))
	}
}

func pairs(joined string) params {
	p := params{}
	for pair := range strings.SplitSeq(joined, "&") {
		name, value, _ := strings.Cut(pair, "=")
		p[name] = value
	}
	return p
}
