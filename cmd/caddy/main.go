// Command caddy is Caddy with the standard modules, the qfpay_jsapi directive,
// PostgreSQL for its ledger and the gateway simulator built in, for the demo and
// for tests. For production build with xcaddy, as xcaddy.md describes: PostgreSQL
// is part of such a build if it is asked for, and the simulator is not.
package main

import (
	caddycmd "github.com/caddyserver/caddy/v2/cmd"

	_ "github.com/caddyserver/caddy/v2/modules/standard"

	_ "github.com/caddy-qfpay/qfpay-jsapi"
	_ "github.com/caddy-qfpay/qfpay-jsapi/postgres"
	_ "github.com/caddy-qfpay/qfpay-jsapi/simulator"
)

func main() {
	caddycmd.Main()
}
