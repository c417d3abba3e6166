package qfpay

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestDigestHashesTheExactBytes(t *testing.T) {
	for name, test := range map[string]struct{ signed, md5, sha256 string }{
		"QFPay's published example, with an empty parameter and a trailing space": {
			signed: "address=TST&bankaccount=168477081838&bankaddr=TST&bankcity=Hong Kong&bankcode=123" +
				"&bankcountry=Hong Kong&bankname=HSBC&bankswiftcode=HSBCHKHHHKH&bankuser=Peter&channel_type=" +
				"&city=Hong Kong&country=Hong Kong&email=peter@test.com&idnumber=172845391795&legalperson=Peter" +
				"&licenseactive_date=20160810&licensenumber=123456&mcc_id=21002&mobile=123456&name=Peter " +
				"&shopname=PeterShopR&username=peter@test.com" +
				"001c49ce1d444994b419934286eb07b40f2", // as published
			md5:    "3A7A3BBA647FB6FBC28F6687D78212E2",
			sha256: "3da3e63eea1fab7325609a0720b3c1c65167dbcb79c65ae7385febcb738b2a01",
		},
		"QFPay's second example": {
			signed: "abc=value1&bad=value3&bcd=value2Key",
			md5:    "FE90E1859AF37371A06415CF19F6614F",
			sha256: "55bed8288586b02e3836bf0c4baec24c002b1c87e1c355f356a3547ab97a64b4",
		},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, test.md5, digest(MD5, []byte(test.signed)))
			assert.Equal(t, strings.ToUpper(test.sha256), digest(SHA256, []byte(test.signed)))
		})
	}
}

func TestSign(t *testing.T) {
	for name, test := range map[string]struct {
		params map[string]string
		key    string
		md5    string
	}{
		"sorts by key": {
			params: map[string]string{"bcd": "value2", "abc": "value1", "bad": "value3"},
			key:    "Key",
			md5:    "FE90E1859AF37371A06415CF19F6614F",
		},
		"sorts by key, not by the joined pair": {
			params: map[string]string{"a1": "2", "a": "1"},
			key:    "K",
			md5:    "F3FF67CD0C0D64C66475ABEEB615030E",
		},
		"signs UTF-8 as it is": {
			params: map[string]string{"goods_name": "茶🍵", "txamt": "100"},
			key:    "TESTKEY",
			md5:    "11F857B7A6E46B84471CE05FE683F8EA",
		},
		"signs an address without encoding it": {
			params: map[string]string{
				"app_code":     "APPCODE0000000000000000000000000",
				"mchid":        "MCH123",
				"redirect_uri": "https://pay.example.com/cb?s=a%2Fb&n=1",
			},
			key: "TESTKEY",
			md5: "51B95A0A137A8C3BE4EEE544CFD6183A",
		},
		"leaves out what is empty": {
			params: map[string]string{"a": "1", "a0": "", "a1": "2", "b": ""},
			key:    "K",
			md5:    "F3FF67CD0C0D64C66475ABEEB615030E",
		},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, test.md5, Sign(MD5, test.params, test.key))
		})
	}
}

func TestSignSHA256(t *testing.T) {
	params := map[string]string{"bcd": "value2", "abc": "value1", "bad": "value3"}
	assert.Equal(t, "55BED8288586B02E3836BF0C4BAEC24C002B1C87E1C355F356A3547AB97A64B4", Sign(SHA256, params, "Key"))
}

func BenchmarkSign(b *testing.B) {
	params := map[string]string{
		"txamt":        "12800",
		"txcurrcd":     "HKD",
		"pay_type":     "800207",
		"out_trade_no": "01JDCX0000000000000000TEST",
		"txdtm":        "2026-11-23 18:04:05",
		"sub_openid":   "oo3LTESTOPENID00000000000000",
		"goods_name":   "Oolong tea",
		"mchid":        "MCH123",
		"notify_url":   "https://pay.example.com/pay/notify",
	}
	for _, t := range []SignType{MD5, SHA256} {
		b.Run(string(t), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Sign(t, params, "TESTKEY0123456789TESTKEY01234567")
			}
		})
	}
}
