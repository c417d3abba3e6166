// Command shop is Caddy with the plugin and nothing else, as xcaddy would build
// it.
package main

import (
	caddycmd "github.com/caddyserver/caddy/v2/cmd"

	_ "github.com/caddyserver/caddy/v2/modules/standard"

	_ "github.com/caddy-qfpay/qfpay-jsapi"
)

func main() {
	caddycmd.Main()
}
