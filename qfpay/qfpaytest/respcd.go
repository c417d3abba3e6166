package qfpaytest

import "fmt"

// The response codes that the simulator gives of its own accord. Where the
// protocol lists several for one meaning, the comment says how one is chosen.
const (
	respcdSuccess = "0000"

	// respcdForm is for a request whose form is wrong: a parameter that is
	// missing, empty, repeated, unknown or badly encoded.
	respcdForm = "1103"

	// respcdValue is for a parameter whose value is wrong.
	respcdValue = "1104"

	// respcdSign is for a signature that does not match, and for an app_code or an
	// mchid that is not the merchant's.
	respcdSign = "1108"

	respcdNotFound = "1136"
	respcdPaid     = "1260"

	// respcdClosed is both the row of a trade that the merchant has closed and
	// the answer to closing it again.
	respcdClosed = "1142"

	// respcdFailed is the row of a trade that has ended unpaid by the Fail
	// button of the wallet.
	respcdFailed = "1263"

	respcdRefundRefused = "1155" // a slow refund that failed, or one too soon after another
	respcdNotPaid       = "1261" // a refund of what is not paid
	respcdRefunded      = "1264" // nothing is left to refund; "wrong cancel", as seen
	respcdNotThePrice   = "1266" // more was asked for than was paid
	respcdTooMuch       = "1272" // more was asked for than is left
)

// RespcdCodeRefused answers an OAuth code that is unknown, used or expired. No
// list is published; the simulator treats it as a wrong parameter value.
const RespcdCodeRefused = respcdValue

// respcdsDuplicate answer an order number that was used before: documented,
// documented elsewhere, and observed. The seed chooses.
var respcdsDuplicate = []string{"1102", "2011", "1251"}

// respcdsOpen are the rows of a trade that nobody has paid yet. The seed chooses.
var respcdsOpen = []string{"1143", "1145"}

// respcdsAtWork answer what the gateway has taken and the channel has not done yet.
var respcdsAtWork = []string{"1143", "1145", "2999"}

// refusal is why a call is not carried out.
type refusal struct{ respcd, reason string }

func refuse(respcd, format string, args ...any) *refusal {
	return &refusal{respcd: respcd, reason: fmt.Sprintf(format, args...)}
}
