package webhook

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// port is where a receiver listens, on the loopback address.
func (r *receiver) port(t *testing.T) string {
	t.Helper()
	_, port, err := net.SplitHostPort(r.Listener.Addr().String())
	require.NoError(t, err)
	return port
}

func TestANameThatLeadsToAPrivateAddressIsRefused(t *testing.T) {
	shop := receive(t, answer(http.StatusOK))
	for _, address := range []string{"127.0.0.1", "::ffff:127.0.0.1", "::1", "10.0.0.1", "169.254.169.254", "fd00::1"} {
		t.Run(address, func(t *testing.T) {
			endpoint, err := newEndpoint("http://shop.example:"+shop.port(t), newSecret(32), names(address))
			require.NoError(t, err)
			result := endpoint.Send(t.Context(), paid(), time.Now())
			assert.ErrorIs(t, result.Err, ErrNotPublic)
			assert.False(t, result.Delivered)
			assert.Zero(t, result.Status)
		})
	}
	assert.Empty(t, shop.deliveries())
}

func TestNoAddressOfANameIsTriedUnjudged(t *testing.T) {
	shop := receive(t, answer(http.StatusOK))
	endpoint, err := newEndpoint("http://shop.example:"+shop.port(t), newSecret(32), names("10.0.0.1", "::1", "127.0.0.1"))
	require.NoError(t, err)

	assert.ErrorIs(t, endpoint.Send(t.Context(), paid(), time.Now()).Err, ErrNotPublic)
	assert.Empty(t, shop.deliveries())
}

func TestAPrivateAddressInTheURLItselfIsCalled(t *testing.T) {
	shop := receive(t, answer(http.StatusOK))
	for _, host := range []string{"127.0.0.1", "[::ffff:127.0.0.1]", "localhost", "LOCALHOST"} {
		result := open(t, "http://"+host+":"+shop.port(t)).Send(t.Context(), paid(), time.Now())
		assert.NoError(t, result.Err, host)
	}
	assert.Len(t, shop.deliveries(), 4)
}

func TestAHostIsAllowedNoAddressButItsOwn(t *testing.T) {
	for _, test := range []struct {
		host, address string
		allowed       bool
	}{
		{"shop.example", "93.184.216.34:443", true},
		{"shop.example", "[2606:2800:220:1::1]:443", true},
		{"shop.example", "192.168.1.20:443", false},
		{"shop.example", "no address", false},
		{"192.168.1.20", "192.168.1.20:443", true},
		{"192.168.1.20", "[::ffff:192.168.1.20]:443", true},
		{"192.168.1.20", "192.168.1.21:443", false},
		{"192.168.1.20", "127.0.0.1:443", false},
		{"fe80::1%eth0", "[fe80::1%eth0]:443", true},
		{"fe80::1%eth0", "[fe80::1%2]:443", true},
		{"fe80::1%eth0", "[fe80::2%eth0]:443", false},
		{"localhost", "127.0.0.1:443", true},
		{"localhost", "127.0.0.53:443", true},
		{"localhost", "[::1]:443", true},
		{"localhost", "10.0.0.1:443", false},
		{"localhost", "93.184.216.34:443", false},
		{"localhost.localdomain", "127.0.0.1:443", false},
		{"127.1", "127.0.0.1:443", false},
		{"2130706433", "127.0.0.1:443", false},
		{"0x7f000001", "127.0.0.1:443", false},
	} {
		err := newGuard(test.host).control(t.Context(), "tcp", test.address, nil)
		if test.allowed {
			assert.NoError(t, err, "%s at %s", test.host, test.address)
		} else {
			assert.ErrorIs(t, err, ErrNotPublic, "%s at %s", test.host, test.address)
		}
	}
}

func TestPublicAddressesAreThoseOfTheOpenInternet(t *testing.T) {
	for _, test := range []struct {
		kind, addresses string
		public          bool
	}{
		{"public", "1.1.1.1 93.184.216.34 100.63.255.255 100.128.0.1 172.15.0.1 172.32.0.1 223.255.255.255", true},
		{"public over IPv6", "2606:4700::1111 2001:4860:4860::8888 2a00::1", true},
		{"public in another form", "::ffff:1.1.1.1 64:ff9b::1.1.1.1 2002:101:101::1", true},
		{"loopback", "127.0.0.1 127.255.255.255 ::1", false},
		{"unspecified", "0.0.0.0 0.1.2.3 ::", false},
		{"private", "10.0.0.1 172.16.0.1 172.31.255.255 192.168.255.255 fc00::1 fdff::1", false},
		{"link-local", "169.254.169.254 fe80::1 fe80::1%eth0", false},
		{"carrier-grade NAT", "100.64.0.0 100.100.100.200 100.127.255.255", false},
		{"multicast", "224.0.0.1 239.255.255.255 ff02::1 ff0e::1", false},
		{"reserved", "192.0.0.170 198.18.0.1 240.0.0.1 255.255.255.255 fec0::1", false},
		{"IPv4-mapped", "::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:100.64.0.1", false},
		{"IPv4-compatible and -translated", "::127.0.0.1 ::ffff:0:127.0.0.1", false},
		{"NAT64", "64:ff9b::127.0.0.1 64:ff9b::192.168.0.1 64:ff9b::100.64.0.1 64:ff9b:1::1.1.1.1", false},
		{"6to4", "2002:7f00:1::1 2002:a00:1:: 2002:a9fe:a9fe::1 2002:6440:1::", false},
		{"Teredo", "2001:0:4136:e378:8000:63bf:3fff:fdd2", false},
	} {
		for address := range strings.FieldsSeq(test.addresses) {
			assert.Equal(t, test.public, isPublic(netip.MustParseAddr(address)), "%s: %s", test.kind, address)
		}
	}
	assert.False(t, isPublic(netip.Addr{}), "no address")
}
