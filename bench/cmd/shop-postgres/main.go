// Command shop-postgres is Caddy with the plugin and its PostgreSQL engine, as
// xcaddy would build it for several machines.
package main

import (
	caddycmd "github.com/caddyserver/caddy/v2/cmd"

	_ "github.com/caddyserver/caddy/v2/modules/standard"

	_ "github.com/caddy-qfpay/qfpay-jsapi"
	_ "github.com/caddy-qfpay/qfpay-jsapi/postgres"
)

func main() {
	caddycmd.Main()
}
