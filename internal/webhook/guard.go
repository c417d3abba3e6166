package webhook

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"syscall"
)

// ErrNotPublic is why an endpoint is not connected to whose name leads into a private
// network.
var ErrNotPublic = errors.New("not a public address; to reach a private one, the webhook URL must name the IP address itself")

// A guard decides to which addresses a connection may be opened, so that a
// name that leads into the server's own network, by mistake or by malice,
// leads nowhere. It judges the address that is about to be connected to, after
// all names are resolved: a name that points elsewhere a moment later gains
// nothing.
type guard struct {
	literal   netip.Addr // the address that the URL itself spells out; the zero Addr if none
	localhost bool       // the URL says localhost, which means the loopback addresses
}

func newGuard(host string) guard {
	literal, _ := netip.ParseAddr(host) // the zero Addr if host is a name
	return guard{literal: plain(literal), localhost: strings.EqualFold(host, "localhost")}
}

// control is a [net.Dialer.ControlContext].
func (g guard) control(_ context.Context, _, address string, _ syscall.RawConn) error {
	peer, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %s", ErrNotPublic, address)
	}
	if addr := plain(peer.Addr()); !g.allows(addr) {
		return fmt.Errorf("%s is %w", addr, ErrNotPublic)
	}
	return nil
}

func (g guard) allows(addr netip.Addr) bool {
	switch {
	case g.literal.IsValid():
		return addr == g.literal
	case g.localhost:
		return addr.IsLoopback()
	default:
		return isPublic(addr)
	}
}

// plain is addr without an interface's name and out of its IPv4-mapped form.
func plain(addr netip.Addr) netip.Addr { return addr.WithZone("").Unmap() }
