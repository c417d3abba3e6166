package wechat

import "github.com/caddy-qfpay/qfpay-jsapi/internal/remote"

// code is what an errcode means.
type code struct {
	outcome remote.Outcome
	fault   remote.Fault
	meaning string
}

// codes are the errcodes that matter, from the global return codes in WeChat's
// documentation.
var codes = map[int]code{
	-1: {remote.Unknown, remote.FaultBusy, "WeChat is busy"},

	40029: {remote.Refused, remote.FaultPayer, "code invalid"},
	40163: {remote.Refused, remote.FaultPayer, "code used before"},
	41008: {remote.Refused, remote.FaultPayer, "code missing"},
	42003: {remote.Refused, remote.FaultPayer, "code expired"},

	40001: {remote.Refused, remote.FaultShop, "app secret is not that of the app id"},
	40013: {remote.Refused, remote.FaultShop, "app id invalid"},
	40125: {remote.Refused, remote.FaultShop, "app secret invalid"},
	40164: {remote.Refused, remote.FaultShop, "this server's IP address is not on the account's list"},
	41002: {remote.Refused, remote.FaultShop, "app id missing"},
	41004: {remote.Refused, remote.FaultShop, "app secret missing"},
	48001: {remote.Refused, remote.FaultShop, "account is not allowed to do this"},

	40002: {remote.Refused, remote.FaultRequest, "grant_type invalid"},
	43001: {remote.Refused, remote.FaultRequest, "method is not GET"},

	45009: {remote.Refused, remote.FaultBusy, "too many calls today"},
	45011: {remote.Refused, remote.FaultBusy, "too many calls this minute"},
}

// judgement is what an errcode means. One that is not listed is not treated as a
// no.
func judgement(errcode int) (remote.Outcome, remote.Fault) {
	if known, ok := codes[errcode]; ok {
		return known.outcome, known.fault
	}
	return remote.Unknown, remote.FaultBroken
}

// Meaning says in a few English words what an errcode means, or nothing if it is
// not one that matters here.
func Meaning(errcode int) string { return codes[errcode].meaning }
