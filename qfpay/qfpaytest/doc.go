// Package qfpaytest simulates the QFPay gateway for WeChat JSAPI payments: the
// OAuth redirect, the openid, the payment, the pay page with a wallet that a
// person or a test can press, enquiry, close, refund and notifications.
//
// For a shop that has an official account of its own it also plays WeChat: the
// OAuth redirect at /connect/oauth2/authorize, and the access token with the
// openid at /sns/oauth2/access_token. For payers outside WeChat it plays the
// wallets of a phone's own browser, at /q/wap.
//
// The simulator is written from the protocol description alone and shares no code
// with any client, so that a client that misreads the protocol fails against it.
// It refuses what the real gateway would refuse. With Config.Strict it refuses
// besides what the gateway overlooks, or what sources disagree about: unknown,
// misplaced and empty parameters, and times that are not in UTC+8.
//
// Where the sources are silent the simulator takes a decision and says so in the
// comment of the constant or function that holds it.
//
// Everything random follows from Config.Seed: the same seed, clock and sequence
// of requests give the same replies.
package qfpaytest
