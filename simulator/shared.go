package simulator

import (
	"errors"
	"net"
	"syscall"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// sharedAddress returns an address of the configuration that is being loaded, on which
// another program listens; "" if there is none, or if this process serves already, as
// when it reloads. Caddy itself does not notice: it lets processes share addresses,
// and the system gives each connection to one of them by chance.
func sharedAddress(ctx caddy.Context) string {
	if caddy.ActiveContext().Context != nil {
		return ""
	}
	for _, module := range ctx.Modules() {
		app, ok := module.(*caddyhttp.App)
		if !ok {
			continue
		}
		for _, server := range app.Servers {
			for _, address := range server.Listen {
				if isTaken(address) {
					return address
				}
			}
		}
	}
	return ""
}

// isTaken reports whether the system refuses to listen on an address without sharing
// it. Sockets and ranges of ports are left alone.
func isTaken(address string) bool {
	parsed, err := caddy.ParseNetworkAddress(address)
	if err != nil || parsed.Network != "tcp" || parsed.PortRangeSize() != 1 || parsed.StartPort == 0 {
		return false
	}
	listener, err := net.Listen("tcp", parsed.JoinHostPort(0))
	if err != nil {
		return errors.Is(err, syscall.EADDRINUSE)
	}
	_ = listener.Close()
	return false
}
