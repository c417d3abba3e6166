package webhook

import (
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
			if len(rawURL) > len("https://shop.example/paid") {
				assert.NotContains(t, err.Error(), rawURL)
			}
			return
		}
		assert.Regexp(t, `^[0-9a-f]{8}$`, endpoint.ID())
		assert.Regexp(t, `^https?://[^?#]+$`, endpoint.String())
		assert.Nil(t, endpoint.target.User)
		require.NoError(t, CheckURL(endpoint.target.String()), "what is called is as good as what was configured")
	})
}
