package webhook

import (
	"net/netip"
	"slices"
)

// nonPublic lists networks beyond those that netip knows, from the IANA
// registries of special-purpose addresses.
var nonPublic = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),       // this network
	netip.MustParsePrefix("100.64.0.0/10"),   // carrier-grade NAT, and some clouds' metadata
	netip.MustParsePrefix("192.0.0.0/24"),    // protocol assignments
	netip.MustParsePrefix("198.18.0.0/15"),   // benchmarks
	netip.MustParsePrefix("240.0.0.0/4"),     // reserved, and broadcast
	netip.MustParsePrefix("::/96"),           // IPv4-compatible, deprecated
	netip.MustParsePrefix("::ffff:0:0:0/96"), // IPv4-translated
	netip.MustParsePrefix("64:ff9b:1::/48"),  // NAT64 of the local network
	netip.MustParsePrefix("2001::/32"),       // Teredo
	netip.MustParsePrefix("fec0::/10"),       // site-local, deprecated
}

// Networks whose addresses lead to the IPv4 address that they hold.
var (
	nat64     = netip.MustParsePrefix("64:ff9b::/96")
	sixToFour = netip.MustParsePrefix("2002::/16")
)

// Public reports whether addr is an address of the open Internet.
func Public(addr netip.Addr) bool { return isPublic(addr) }

// isPublic reports whether addr is an address of the open Internet, itself and
// in the IPv4 address that it may hold.
func isPublic(addr netip.Addr) bool {
	addr = embedded(addr)
	return addr.IsGlobalUnicast() && !addr.IsPrivate() &&
		!slices.ContainsFunc(nonPublic, func(network netip.Prefix) bool { return network.Contains(addr) })
}

// embedded returns the IPv4 address that an IPv4-mapped, NAT64 (RFC 6052) or
// 6to4 (RFC 3056) address leads to, and any other address as it is.
func embedded(addr netip.Addr) netip.Addr {
	addr = plain(addr)
	bytes := addr.As16()
	switch {
	case nat64.Contains(addr):
		return netip.AddrFrom4([4]byte(bytes[12:16]))
	case sixToFour.Contains(addr):
		return netip.AddrFrom4([4]byte(bytes[2:6]))
	default:
		return addr
	}
}
