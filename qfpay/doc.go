// Package qfpay speaks the part of QFPay's signed API that payments by WeChat Pay
// JSAPI and in phones' own browsers need, with nothing but the standard library.
//
// A payment inside WeChat takes four steps, and the methods stand in their order:
//
//  1. [Client.OAuthURL] is where the payer's browser, inside WeChat, goes first.
//     It comes back to the given address with a one-time code.
//  2. [Client.OpenID] exchanges the code for the payer's openid.
//  3. [Client.Pay] makes the payment and returns its [PayParams].
//  4. [PayPageRequest.URL] is where the browser goes to pay.
//
// In a phone's own browser, outside WeChat, there is no openid: of the [Wallets],
// as of [MethodHosted] in Canada, [Client.Pay] itself returns where the browser goes
// to pay.
//
// Whether money has moved is told by [Client.Query] and by the gateway's
// notification ([VerifyNotification], then [ParseNotification]), never by a
// browser that comes back. [Client.Close] ends a payment that nobody has made, and
// [Client.Refund] gives back what was paid, or a part of it.
//
// The package qfpaytest beside this one simulates the gateway, for tests; the
// examples run against it.
//
// # Yes, no, unknown
//
// Every call ends in one of three ways. A nil error is yes. Otherwise the error
// is an [*Error] whose Outcome is [Refused], the gateway said no and nothing
// happened, or [Unknown]: it may have happened, and only a later [Client.Query]
// with the same number can tell. Its Fault says who has to act. The
// client itself never asks twice. What a code of the gateway's means, for the call
// that got it and with the words beside it, is in [Error.Meaning].
//
// # What stays secret
//
// The client key, the payer's one-time code and the payer's [RealName] are in no
// error of this package, even if the gateway repeats them, and not in what its
// values print. No error holds the payer's openid or IP address either. A row of an
// enquiry is passed on as it comes.
//
// # Amounts and times
//
// Amounts are integers in the minor units of their currency ([MinorUnits]): 100
// is one Hong Kong dollar, or one hundred yen. Times on the wire have no zone;
// QFPay's own are UTC+8, and so is every time that this package sends or reads.
//
// # How sure this is
//
// Comments name the source of each fact: QFPay's documentation, public client
// code, or captured traffic. Nothing in this package has been run against the
// live gateway by its authors.
package qfpay
