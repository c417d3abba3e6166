package qfpay

import "strings"

// success is the respcd of a call, or of a trade, that worked.
const success = "0000"

// code is what a respcd means for the call that gets it. The meaning is for the
// owner of the shop.
type code struct {
	outcome Outcome
	fault   Fault
	meaning string
}

// codes are the response codes that matter, from QFPay's documentation of all
// years unless a comment says otherwise.
var codes = map[string]code{
	"1143": {Unknown, FaultGateway, "still open"}, // "not found" in one old table
	"1145": {Unknown, FaultGateway, "still being processed"},
	"2999": {Unknown, FaultGateway, "the channel is still at work"},
	"1101": {Unknown, FaultGateway, "outcome unknown: a reversal went wrong"},
	"1161": {Unknown, FaultGateway, "outcome unknown"},
	"1252": {Unknown, FaultGateway, "outcome unknown: the gateway broke while it asked the channel"},
	"1295": {Unknown, FaultGateway, "outcome unknown: the network is slow"},
	"1296": {Unknown, FaultGateway, "outcome unknown: the network is slow"},
	"1297": {Unknown, FaultGateway, "outcome unknown: the channel is busy, or a limit is reached"},
	"1298": {Unknown, FaultGateway, "outcome unknown: may be paid already"},

	// One old table has "signature failure" for what its Chinese original calls a
	// failed sign-in of a terminal; QFPay's web services use it for bad data.
	"2003": {Unknown, FaultGateway, "the gateway could not use the data"},

	"1108": {Refused, FaultShop, "bad signature or key"},
	"1103": {Refused, FaultRequest, "bad request: wrong format"},
	"1104": {Refused, FaultRequest, "bad request: wrong parameter"},
	"1124": {Refused, FaultRequest, "the trade does not allow this"},

	"1102": {Refused, FaultRequest, "duplicate number"},
	"2011": {Refused, FaultRequest, "duplicate number"},
	"1251": {Refused, FaultRequest, "duplicate number, or shop misconfigured"}, // as observed, or as documented

	"1136": {Refused, FaultRequest, "not found"},
	"1268": {Refused, FaultRequest, "not found"},

	"1142": {Refused, FaultPayer, "closed"},
	"1264": {Refused, FaultPayer, "closed"},
	"1181": {Refused, FaultPayer, "expired"},
	"2005": {Refused, FaultPayer, "expired"},
	"1263": {Refused, FaultPayer, "cancelled"},
	"2007": {Refused, FaultPayer, "cancelled"},

	"1260": {Unknown, FaultRequest, "paid already"}, // so it is not a no
	"1261": {Refused, FaultRequest, "not paid"},
	"1125": {Refused, FaultRequest, "refunded already"},
	"1262": {Refused, FaultRequest, "refunded already"},
	"1266": {Refused, FaultRequest, "the amount is wrong"},
	"1267": {Refused, FaultRequest, "does not match the trade"},

	"1155": {Refused, FaultRequest, "refund refused"},
	"1265": {Refused, FaultRequest, "refund refused"},
	"1269": {Refused, FaultRequest, "refund refused"},
	"1270": {Refused, FaultRequest, "refund refused"},
	"1271": {Refused, FaultRequest, "refund refused"},
	"1272": {Refused, FaultRequest, "refund refused"},

	"1100": {Refused, FaultBusy, "under maintenance"},
	"1205": {Refused, FaultBusy, "busy"},

	"1113": {Refused, FaultShop, "shop not allowed: the account does not exist"},
	"1114": {Refused, FaultShop, "shop not allowed: the account is blocked"},
	"1115": {Refused, FaultShop, "shop not allowed: the account is restricted"},
	"1119": {Refused, FaultShop, "shop not allowed: this kind of payment is restricted"},
	"1122": {Refused, FaultShop, "shop not allowed: this currency is restricted"},
	"1135": {Refused, FaultShop, "shop not allowed: the account is misconfigured"},
	"1140": {Refused, FaultShop, "shop not allowed: the account is not approved yet"},
	"1203": {Refused, FaultShop, "shop not allowed: the account is misconfigured, or the mchid is wrong"},
	"1241": {Refused, FaultShop, "shop not allowed: it does not exist, or is not active"},
	"1242": {Refused, FaultShop, "shop not allowed: it is misconfigured"},
	"1243": {Refused, FaultShop, "shop not allowed: it is disabled"},
	"1250": {Refused, FaultShop, "shop not allowed: the trade is forbidden"},
	"1254": {Refused, FaultShop, "shop not allowed: there is a problem that QFPay works on"},
	"1294": {Refused, FaultShop, "shop not allowed: the bank forbids the trade as a risk"},

	"1118": {Refused, FaultPayer, "risk control forbids the payment"},
	"1123": {Refused, FaultPayer, "the amount is outside the payer's limits"},
	"1147": {Refused, FaultPayer, "WeChat refuses the payment"},
	"1201": {Refused, FaultPayer, "the payer has too little money"},
	"1202": {Refused, FaultPayer, "the payer's code is wrong or has expired"},
	"1204": {Refused, FaultPayer, "the payer's bank refuses"},
}

// reading is what a respcd means to one call, or beside words of the gateway's,
// where that is something else than in general.
type reading struct {
	call   string // "" for all
	respcd string
	words  []string // all of them in the message, in either case
	code
}

var notActivated = code{Refused, FaultShop, "this way of paying is not activated for your account: ask QFPay"}

// readings were seen in replies, or stand in QFPay's FAQ and its QA programs.
var readings = []reading{
	{"", "1108", []string{"MCHCODE"}, code{Refused, FaultShop, "wrong mchid"}},
	{"", "1104", []string{"filter error"}, notActivated},
	{"", "1104", []string{"filter_error"}, notActivated},
	{"", "1104", []string{"获取用户支付通道失败"}, notActivated},
	{"", "1147", []string{"sub_openid", "不匹配"}, code{Refused, FaultShop, "this openid is of another official account"}},
	{callClose, "1297", nil, code{Unknown, FaultGateway, "not closed: the trade cannot be closed, or the channel is busy"}},
}

func (r reading) fits(call, respcd, message string) bool {
	return r.respcd == respcd && (r.call == "" || r.call == call) && saysAll(message, r.words)
}

func saysAll(message string, words []string) bool {
	message = strings.ToLower(message)
	for _, word := range words {
		if !strings.Contains(message, strings.ToLower(word)) {
			return false
		}
	}
	return true
}

// understand is the one place that says what a respcd other than success means
// for a call. A code that is not listed is never treated as a no, except by
// openid.
func understand(call, respcd, message string) code {
	for _, r := range readings {
		if r.fits(call, respcd, message) {
			return r.code
		}
	}
	known, ok := codes[respcd]
	if !ok {
		known = code{Unknown, FaultGateway, ""}
	}
	switch call {
	case callOpenID:
		return ofOpenID(respcd, known)
	case callRefund:
		return ofRefund(respcd, message, known)
	default:
		return known
	}
}

// ofOpenID is what a code means when an openid was asked for. Which one a used or
// expired one-time code gets is published nowhere, the payer's code is all that
// this call sends, and starting again costs nothing: so codes that nobody lists,
// and those about what was sent, are about it.
func ofOpenID(respcd string, general code) code {
	_, listed := codes[respcd]
	if !listed || general.fault == FaultRequest || respcd == "2003" {
		return code{Refused, FaultPayer, "the payer's one-time code was not accepted"}
	}
	return general
}

// dead reports whether a trade with this respcd was closed, expired or cancelled
// before it was paid.
func dead(respcd string) bool {
	switch respcd {
	case "1142", "1264", "1181", "2005", "1263", "2007":
		return true
	default:
		return false
	}
}
