package simulator

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCaddyfileIsUnderstood(t *testing.T) {
	cases := map[string]struct {
		input string
		want  Handler
	}{
		"the account alone": {
			input: "qfpay_simulator {\n app_code A\n client_key {env.K}\n}",
			want:  Handler{AppCode: "A", ClientKey: "{env.K}"},
		},
		"everything": {
			input: `qfpay_simulator {
				app_code A
				client_key K
				mchid M
				seed 18446744073709551615
				notify_url http://localhost:8080/pay/notify
				time_scale 0.5
				max_trades 7
				file demo-data/gateway.json
				refund_gap 1s
				official_account wx1 {file./run/secrets/wechat}
				wallets wechat payme
				strict
				hosted
				real_name
				refunds_2019
				empty_currency
				any_browser
				any_port
				any_openid
				blind_code
				no_rate_limit
				notify_off
			}`,
			want: Handler{
				AppCode: "A", ClientKey: "K", MchID: "M", Seed: 1<<64 - 1,
				NotifyURL: "http://localhost:8080/pay/notify", TimeScale: 0.5, MaxTrades: 7,
				File: "demo-data/gateway.json", RefundGap: caddy.Duration(time.Second), Refunds2019: true, EmptyCurrency: true,
				WeChatAppID: "wx1", WeChatAppSecret: "{file./run/secrets/wechat}", Wallets: []string{"wechat", "payme"},
				Strict: true, Hosted: true, RealName: true, AnyBrowser: true, AnyPort: true, AnyOpenID: true, BlindCode: true, NoRateLimit: true, NotifyOff: true,
			},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			var got Handler
			require.NoError(t, got.UnmarshalCaddyfile(caddyfile.NewTestDispenser(c.input)))
			assert.Equal(t, c.want, got)
		})
	}
}

func TestTheReferenceNamesEverySetting(t *testing.T) {
	text, err := os.ReadFile("../docs/reference.md")
	require.NoError(t, err)
	_, section, found := strings.Cut(string(text), "\n# The simulator\n")
	require.True(t, found)
	h := new(Handler)
	for name := range h.flags() {
		assert.Contains(t, section, "`"+name+"`")
	}
	for name := range h.setters() {
		assert.Contains(t, section, "`"+name+" <")
	}
	assert.Contains(t, section, "`official_account <")
	assert.Contains(t, section, "`wallets <")
}

func TestCaddyfileMistakesNameTheLine(t *testing.T) {
	const account = "qfpay_simulator {\n app_code A\n client_key K\n "
	cases := map[string]struct{ input, want string }{
		"no block":               {"qfpay_simulator", "app_code is required"},
		"no app_code":            {"qfpay_simulator {\n client_key K\n}", "app_code is required"},
		"no client_key":          {"qfpay_simulator {\n app_code A\n}", "client_key is required"},
		"argument":               {"qfpay_simulator fast {\n}", "wrong argument count"},
		"unknown":                {account + "speed 3\n}", `unrecognized subdirective "speed", at Testfile:4`},
		"twice":                  {account + "app_code B\n}", "app_code is given twice, at Testfile:4"},
		"no value":               {account + "mchid\n}", "wrong argument count"},
		"two values":             {account + "mchid A B\n}", "wrong argument count"},
		"empty value":            {account + "mchid \"\"\n}", "wrong argument count"},
		"flag with value":        {account + "any_port yes\n}", "wrong argument count"},
		"seed of letters":        {account + "seed x\n}", "seed: not a whole number, at Testfile:4"},
		"negative seed":          {account + "seed -1\n}", "seed: not a whole number"},
		"time_scale zero":        {account + "time_scale 0\n}", "time_scale: not a positive number"},
		"time_scale unclear":     {account + "time_scale NaN\n}", "time_scale: not a positive number"},
		"account without secret": {account + "official_account wx1\n}", "official_account: not an app id and an app secret, at Testfile:4"},
		"account of three":       {account + "official_account wx1 S x\n}", "official_account: not"},
		"account of nothing":     {account + "official_account\n}", "official_account: not"},
		"account without id":     {account + "official_account \"\" S\n}", "official_account: not"},
		"account twice":          {account + "official_account wx1 S\nofficial_account wx2 S\n}", "official_account is given twice"},
		"wallets of nothing":     {account + "wallets\n}", "wrong argument count"},
		"refund_gap of words":    {account + "refund_gap soon\n}", "refund_gap: not a positive duration, such as 1s, at Testfile:4"},
		"refund_gap zero":        {account + "refund_gap 0s\n}", "refund_gap: not a positive duration"},
		"file of nothing":        {account + "file\n}", "wrong argument count"},
		"max_trades zero":        {account + "max_trades 0\n}", "max_trades: not a positive whole number"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			err := new(Handler).UnmarshalCaddyfile(caddyfile.NewTestDispenser(c.input))
			require.ErrorContains(t, err, c.want)
			assert.Contains(t, err.Error(), "Testfile:")
		})
	}
}
