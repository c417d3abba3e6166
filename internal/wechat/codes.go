package wechat

// code is what an errcode means.
type code struct {
	outcome Outcome
	fault   Fault
	meaning string
}

// codes are the errcodes that matter, from the global return codes in WeChat's
// documentation.
var codes = map[int]code{
	-1: {Unknown, FaultBusy, "WeChat is busy"},

	40029: {Refused, FaultPayer, "code invalid"},
	40163: {Refused, FaultPayer, "code used before"},
	41008: {Refused, FaultPayer, "code missing"},
	42003: {Refused, FaultPayer, "code expired"},

	40001: {Refused, FaultShop, "app secret is not that of the app id"},
	40013: {Refused, FaultShop, "app id invalid"},
	40125: {Refused, FaultShop, "app secret invalid"},
	40164: {Refused, FaultShop, "this server's IP address is not on the account's list"},
	41002: {Refused, FaultShop, "app id missing"},
	41004: {Refused, FaultShop, "app secret missing"},
	48001: {Refused, FaultShop, "account is not allowed to do this"},

	40002: {Refused, FaultRequest, "grant_type invalid"},
	43001: {Refused, FaultRequest, "method is not GET"},

	45009: {Refused, FaultBusy, "too many calls today"},
	45011: {Refused, FaultBusy, "too many calls this minute"},
}

// judgement is what an errcode means. One that is not listed is not treated as a
// no.
func judgement(errcode int) (Outcome, Fault) {
	if known, ok := codes[errcode]; ok {
		return known.outcome, known.fault
	}
	return Unknown, FaultWeChat
}

// Meaning says in a few English words what an errcode means, or nothing if it is
// not one that matters here.
func Meaning(errcode int) string { return codes[errcode].meaning }
