package qfpay

// success is the respcd of a call, or of a trade, that worked.
const success = "0000"

// code is what a respcd means for the call that gets it.
type code struct {
	outcome Outcome
	fault   Fault
	meaning string
}

// codes are the response codes that matter, from QFPay's documentation unless a
// comment says otherwise.
var codes = map[string]code{
	"1143": {Unknown, FaultGateway, "still open"}, // "not found" in one old table
	"1145": {Unknown, FaultGateway, "still being processed"},
	"1161": {Unknown, FaultGateway, "outcome unknown"},
	"1252": {Unknown, FaultGateway, "outcome unknown"},
	"1295": {Unknown, FaultGateway, "outcome unknown"},
	"1296": {Unknown, FaultGateway, "outcome unknown"},
	"1297": {Unknown, FaultGateway, "outcome unknown: channel busy"},
	"1298": {Unknown, FaultGateway, "outcome unknown: may be paid already"},

	"1108": {Refused, FaultShop, "bad signature or key"},
	"2003": {Refused, FaultShop, "bad signature or key"},

	"1103": {Refused, FaultRequest, "bad request"},
	"1104": {Refused, FaultRequest, "bad request"},

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
	"1125": {Refused, FaultRequest, "refunded already"},
	"1262": {Refused, FaultRequest, "refunded already"},

	"1155": {Refused, FaultRequest, "refund refused: the payment cannot be refunded"},
	"1265": {Refused, FaultRequest, "refund refused"},
	"1269": {Refused, FaultRequest, "refund refused"},
	"1270": {Refused, FaultRequest, "refund refused"},
	"1271": {Refused, FaultRequest, "refund refused"},
	"1272": {Refused, FaultRequest, "refund refused"},

	"1100": {Refused, FaultBusy, "under maintenance"},
	"1205": {Refused, FaultBusy, "busy"},

	"1203": {Refused, FaultShop, "shop not allowed"},
	"1241": {Refused, FaultShop, "shop not allowed"},
	"1242": {Refused, FaultShop, "shop not allowed"},
	"1243": {Refused, FaultShop, "shop not allowed"},
	"1250": {Refused, FaultShop, "shop not allowed"},
	"1254": {Refused, FaultShop, "shop not allowed"},
	"1294": {Refused, FaultShop, "shop not allowed"},
}

// judgement is what a respcd other than success means for a call. A code that is
// not listed is never treated as a no, except by openid: which code a used or
// expired one-time code gets is published nowhere, the payer's code is all that
// this call sends, and starting again costs nothing.
func judgement(call, respcd string) (Outcome, Fault) {
	known, ok := codes[respcd]
	switch {
	case call == callOpenID && (!ok || known.fault == FaultRequest):
		return Refused, FaultPayer
	case !ok:
		return Unknown, FaultGateway
	default:
		return known.outcome, known.fault
	}
}

// Meaning says in a few English words what a response code means, or nothing if
// the code is not one that matters here.
func Meaning(respcd string) string {
	if respcd == success {
		return "success"
	}
	return codes[respcd].meaning
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
