// Package wechat asks WeChat itself who the payer is, for a shop that has an
// official account of its own. It takes the place of the gateway's OAuth redirect
// and of its openid call; everything after the openid is as before.
//
//  1. [Account.AuthorizeURL] is where the payer's browser, inside WeChat, goes
//     first. It comes back to the given address with a one-time code and the
//     state that it was given.
//  2. [Account.OpenID] exchanges the code for the payer's openid.
//
// The facts are from WeChat's documentation ("Web page authorization" and "Global
// return codes" of official accounts) and from PROTOCOL section 4. Nothing in
// this package has been run against WeChat by its authors.
//
// # What stays secret
//
// WeChat wants the app secret and the payer's code in the query of the token
// address, and reverse proxies, transports and WeChat's own wording may repeat
// what they were sent. So neither the app secret, nor a code, nor an openid is in
// any error of this package, whatever the cause, or in what any of its values
// prints.
package wechat
