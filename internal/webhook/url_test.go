package webhook

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestURLsThatCanBeTold(t *testing.T) {
	for _, rawURL := range []string{
		"https://shop.example",
		"https://shop.example:8443/paid?token=t",
		"HTTP://shop.example/paid",
		"http://localhost:8080/paid",
		"http://192.168.1.20/paid",
		"http://[::1]:65535/paid",
		"https://" + strings.Repeat("a", maxURLBytes-len("https://")),
	} {
		assert.NoError(t, CheckURL(rawURL), rawURL)
	}
}

func TestURLsThatCannotBeToldAreRefusedWithTheReason(t *testing.T) {
	for _, test := range []struct {
		rawURL string
		reason error
	}{
		{"", errNotURL},
		{"/paid", errNotURL},
		{"shop.example/paid", errNotURL},
		{"//shop.example/paid", errNotURL},
		{"ftp://shop.example/paid", errNotURL},
		{"unix:///run/shop.sock", errNotURL},
		{"https:shop.example", errNotURL},
		{"https:///paid", errNotURL},
		{"https://:8443/paid", errNotURL},
		{"https://shop example/", errNotURL},
		{"https://shop.example/\r\nx", errNotURL},
		{"https://shop.example/%zz", errNotURL},
		{"https://shop.example:port/", errNotURL},
		{"https://shop.example:0/", errURLPort},
		{"https://shop.example:65536/", errURLPort},
		{"https://user@shop.example/", errUserInfo},
		{"https://user:opensesame@shop.example/", errUserInfo},
		{"https://shop.example/#part", errFragment},
		{"https://shop.example/#", errFragment},
		{"https://" + strings.Repeat("a", maxURLBytes-len("https://")+1), errURLSize},
	} {
		err := CheckURL(test.rawURL)
		assert.ErrorIs(t, err, test.reason, test.rawURL)
		_, err = New(test.rawURL, newSecret(32))
		assert.ErrorIs(t, err, test.reason, test.rawURL)
	}
}

func FuzzURL(f *testing.F) {
	secret := newSecret(32)
	f.Fuzz(func(t *testing.T, rawURL string) {
		endpoint, err := New(rawURL, secret)
		assert.Equal(t, err == nil, CheckURL(rawURL) == nil)
		if err != nil {
			assert.Contains(t, []error{errNotURL, errURLSize, errURLPort, errUserInfo, errFragment}, err,
				"only these repeat nothing of the URL")
			return
		}
		assert.Regexp(t, `^[0-9a-f]{8}$`, endpoint.ID())
		assert.Regexp(t, `^https?://[^?#]+$`, endpoint.String())
		assert.Nil(t, endpoint.target.User)
		called, err := url.Parse(endpoint.target.String())
		require.NoError(t, err)
		assert.Equal(t, endpoint.target.Host, called.Host, "what is called is what was judged")
	})
}
