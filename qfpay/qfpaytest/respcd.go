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

	respcdSign    = "1108" // the signature does not match
	respcdAppCode = "2003" // the app_code is not the merchant's
	respcdMchID   = "1203" // the mchid is not the merchant's

	respcdNotFound = "1136"
	respcdPaid     = "1260"

	// respcdClosed is both the row of a trade that the merchant has closed and
	// the answer to closing it again.
	respcdClosed = "1142"

	// respcdFailed is the row of a trade that has ended unpaid by the Fail
	// button of the wallet.
	respcdFailed = "1263"

	respcdRefundRefused = "1155" // the payment is not paid
	respcdRefunded      = "1262" // nothing is left to refund
	respcdTooMuch       = "1269" // less is left than was asked for
)

// RespcdCodeRefused answers an OAuth code that is unknown, used or expired. No
// list is published; the simulator treats it as a wrong parameter value.
const RespcdCodeRefused = respcdValue

// respcdsDuplicate answer an order number that was used before: documented,
// documented elsewhere, and observed. The seed chooses.
var respcdsDuplicate = []string{"1102", "2011", "1251"}

// respcdsOpen are the rows of a trade that nobody has paid yet. The seed chooses.
var respcdsOpen = []string{"1143", "1145"}

// refusal is why a call is not carried out.
type refusal struct{ respcd, reason string }

func refuse(respcd, format string, args ...any) *refusal {
	return &refusal{respcd: respcd, reason: fmt.Sprintf(format, args...)}
}
