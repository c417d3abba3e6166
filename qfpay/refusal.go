package qfpay

// refusal is why the gateway does not make a refund.
type refusal struct {
	respcd string
	words  string // in the message, in either case; "" for any message

	// tomorrow says that it may well make it another day.
	tomorrow bool

	meaning string
}

// refusals are the codes that refuse a refund, the first that fits. They are of
// QFPay's documentation and of recorded replies; those of 1264 and of the refund
// period were seen in 2025.
var refusals = []refusal{
	{"1269", "", true, "not today, there is too little money to take it from: try again tomorrow under a new id"},
	{"1265", "可退款時限", false, "the time is over in which this payment could be refunded"},
	{"1265", "可退款时限", false, "the time is over in which this payment could be refunded"},
	{"1265", "", true, "not today, or not from 23:30 to 00:30 in Hong Kong: try again tomorrow under a new id"},

	{"1155", "", false, "this payment cannot be refunded"},
	{"1124", "", false, "a card payment of today can only be refunded as a whole"},
	{"1261", "", false, "the payment was not paid"},
	{"1125", "", false, "the payment was refunded already"},
	{"1262", "", false, "the payment was refunded already"},
	{"1264", "wrong cancel", false, "the payment was refunded or reversed already"},
	{"1266", "", false, "the amount is wrong"},
	{"1267", "", false, "the refund does not match the payment"},
	{"1270", "", false, "payments of this currency cannot be refunded in part"},
	{"1271", "", false, "this payment cannot be refunded in part"},
	{"1272", "", false, "this is more than is left of the payment"},
}

// refusalOf returns why a refund with this respcd and message was refused, if it
// is known that it was.
func refusalOf(respcd, message string) (refusal, bool) {
	for _, r := range refusals {
		if r.respcd == respcd && saysAll(message, []string{r.words}) {
			return r, true
		}
	}
	return refusal{}, false
}

// ofRefund is what a code means when a refund was asked for. Codes about payers
// say nothing of money that goes back, unless they say that a trade is over.
func ofRefund(respcd, message string, general code) code {
	if known, ok := refusalOf(respcd, message); ok {
		return code{Refused, FaultRequest, known.meaning}
	}
	if general.fault == FaultPayer && !dead(respcd) {
		general.outcome = Unknown
	}
	return general
}
