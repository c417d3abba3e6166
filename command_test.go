package qfpayjsapi_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

// said is what a command printed, and how it ended.
type said struct {
	out, notes string
	err        error
}

// caddy runs "caddy qfpay-jsapi" with arguments against the shop, with what is
// typed.
func (s *shop) caddy(typed string, args ...string) said {
	s.t.Helper()
	registered, ok := caddycmd.Commands()["qfpay-jsapi"]
	require.True(s.t, ok)
	cmd := &cobra.Command{Use: "qfpay-jsapi"}
	registered.CobraFunc(cmd)
	var out, notes bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetErr(&notes)
	cmd.SetIn(strings.NewReader(typed))
	cmd.SetArgs(append(args, "--address", s.admin))
	err := cmd.ExecuteContext(s.t.Context())
	return said{out.String(), notes.String(), err}
}

func (s *shop) caddyJSON(into any, args ...string) {
	s.t.Helper()
	ran := s.caddy("", append(args, "--json")...)
	require.NoError(s.t, ran.err)
	require.NoError(s.t, json.Unmarshal([]byte(ran.out), into), ran.out)
}

func TestOrdersAreListedAndShownByCommand(t *testing.T) {
	shop := openShop(t)
	assert.Equal(t, "No orders.\n", shop.caddy("", "orders").out)
	order := shop.sold("&ref=INV-7")
	lines := strings.Split(shop.caddy("", "orders").out, "\n")
	assert.Regexp(t, `^ORDER +STARTED +STATUS +METHOD +AMOUNT +REFUNDED +REF +DESCRIPTION$`, lines[0])
	assert.Regexp(t, `^`+order+`  \d{4}-\d\d-\d\d \d\d:\d\d:\d\d  paid +jsapi +HKD 256.00 +INV-7 +Cat food 猫粮 × 2$`, lines[1])
	assert.Equal(t, strings.Index(lines[0], "STATUS"), strings.Index(lines[1], "paid"), "columns are aligned")

	shown := shop.caddy("", "show", order).out
	for _, part := range []string{"Amount            HKD 256.00", "Item              2 × Cat food 猫粮, HKD 128.00 each", "  claimed", "  paid"} {
		assert.Contains(t, shown, part)
	}
	assert.Regexp(t, `  paid +late false, source \w+, syssn \w+`, shown)
	var page struct{ Orders []map[string]any }
	shop.caddyJSON(&page, "orders", "--status", "paid", "--search", "inv")
	require.Len(t, page.Orders, 1)
	assert.Equal(t, order, page.Orders[0]["order"])
	shop.caddyJSON(&page, "orders", "--status", "failed")
	assert.Empty(t, page.Orders)
	assert.EqualError(t, shop.caddy("", "show", "nothing").err, "unknown order")
	assert.ErrorContains(t, shop.caddy("", "orders", "--day", "today").err, `"today" is not a day`)
	assert.ErrorContains(t, shop.caddy("", "orders", "--limit", "0").err, "--limit must be at least 1")
}

func TestAMisspeltCommandFails(t *testing.T) {
	cmd, caddy := &cobra.Command{Use: "qfpay-jsapi"}, &cobra.Command{Use: "caddy"}
	caddycmd.Commands()["qfpay-jsapi"].CobraFunc(cmd)
	caddy.AddCommand(cmd)
	caddy.SetOut(io.Discard)
	caddy.SetErr(io.Discard)
	caddy.SetArgs([]string{"qfpay-jsapi", "refnd", someOrder, "--yes"})
	assert.Error(t, caddy.Execute())
	caddy.SetArgs([]string{"qfpay-jsapi", "refnd", someOrder})
	assert.EqualError(t, caddy.Execute(), `unknown command "refnd" for "caddy qfpay-jsapi"`)
	caddy.SetArgs([]string{"qfpay-jsapi"})
	assert.NoError(t, caddy.Execute(), "it shows the help")
}

func TestARefundByCommandIsConfirmedFirst(t *testing.T) {
	shop := openShop(t)
	order := shop.sold("")
	for typed, want := range map[string]string{
		"":    "nothing was refunded, because nobody confirmed it: add --yes in scripts",
		"n\n": "nothing was refunded",
		"\n":  "nothing was refunded",
	} {
		ran := shop.caddy(typed, "refund", order, "56")
		assert.EqualError(t, ran.err, want)
		assert.Contains(t, ran.notes, "Refund HKD 56.00 of order "+order+" (Cat food 猫粮 × 2, HKD 256.00)? [y/N]")
	}
	assert.Zero(t, shop.gateway.Calls("refund"))
	assert.Equal(t, "Refunded HKD 56.00 of order "+order+".\n", shop.caddy("y\n", "refund", order, "56").out)
	assert.Equal(t, "Refunded HKD 200.00 of order "+order+".\n", shop.caddy("", "refund", order, "--yes", "--id", "rest").out)
	assert.Equal(t, "Refund rest was made before: HKD 200.00 of order "+order+". Nothing more was refunded.\n",
		shop.caddy("", "refund", order, "--id", "rest").out, "again: no money moves, and nobody is asked")
	assert.EqualError(t, shop.caddy("", "refund", order).err, "nothing is left to refund of this order")
	assert.ErrorContains(t, shop.caddy("", "refund", order, "1.234", "--yes").err, "the amount: \"1.234\" has more decimals than HKD")
	shown := shop.caddy("", "show", order).out
	assert.Regexp(t, `Refund rest +HKD 200.00, done`, shown)
	assert.Regexp(t, `  refund_requested rest +amount 200.00`, shown, "for people, decimals")
	trade, _ := shop.gateway.Trade(order)
	assert.EqualValues(t, 25600, trade.Refunded)
}

// Caddy's admin API refuses requests by their Host and Origin, and may listen on a
// socket without either.
func TestCommandsReachTheAdminAPIWhereverItListens(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "admin.sock")
	for name, test := range map[string]struct {
		network, listen string
		address         func(net.Listener) string
		origin          func(net.Listener) string
	}{
		"TCP": {"tcp", "127.0.0.1:0", func(l net.Listener) string { return l.Addr().String() },
			func(l net.Listener) string { return "http://" + l.Addr().String() }},
		"a socket with permissions": {"unix", socket, func(net.Listener) string { return "unix/" + socket + "|0220" },
			func(net.Listener) string { return "" }},
	} {
		listener, err := net.Listen(test.network, test.listen)
		require.NoError(t, err, name)
		var asked *http.Request
		api := &httptest.Server{Listener: listener, Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked = r
			_, _ = io.WriteString(w, `{"findings":[]}`)
		})}}
		api.Start()
		ran := (&shop{t: t, admin: test.address(listener)}).caddy("", "doctor")
		api.Close()
		require.NoError(t, ran.err, name)
		assert.Equal(t, "/qfpay_jsapi/doctor", asked.URL.Path, name)
		assert.Equal(t, "application/json", asked.Header.Get("Content-Type"), name)
		assert.Equal(t, test.origin(listener), asked.Header.Get("Origin"), name)
	}
	for address, want := range map[string]string{
		"localhost:2019-2020": "it has several ports",
		"localhost:no-port":   "invalid address of the admin API",
	} {
		assert.ErrorContains(t, (&shop{t: t, admin: address}).caddy("", "orders").err, want)
	}
}

func TestABackupByCommandIsWrittenByTheRunningCaddy(t *testing.T) {
	shop := openShop(t)
	folder := t.TempDir()
	t.Chdir(folder)
	made := shop.caddy("", "backup", "copy.db")
	require.NoError(t, made.err)
	assert.Regexp(t, `^Backup written to `+regexp.QuoteMeta(filepath.Join(folder, "copy.db"))+`: \d+ bytes.\n$`, made.out)
	assert.FileExists(t, "copy.db")
	assert.ErrorContains(t, shop.caddy("", "backup", "copy.db").err, "already exists")
}

func TestARefundWithoutAnOutcomeEndsWithItsOwnExitCode(t *testing.T) {
	shop := openShop(t)
	order := shop.sold("")
	shop.gateway.SetSlowRefunds(true)
	ran := shop.caddy("", "refund", order, "--yes", "--wait", "10ms")
	assert.EqualError(t, ran.err, "exiting with status 3")
	assert.Contains(t, ran.notes, "It is not known yet whether HKD 256.00 was refunded")
	assert.Empty(t, ran.out)
}

func TestARefundThatIsRefusedSaysWhy(t *testing.T) {
	shop := openShop(t)
	order := shop.sold("")
	shop.gateway.Inject(qfpaytest.Fault{Call: "refund", Kind: qfpaytest.Respcd, Respcd: "1270"})
	err := shop.caddy("", "refund", order, "--yes", "--id", "r1").err
	assert.ErrorContains(t, err, "the refund r1 was refused, and no money went back: payments of this currency cannot be refunded in part")
	assert.ErrorContains(t, err, "(respcd 1270)")
}

func TestOrdersAreAskedAboutAndClosedByCommand(t *testing.T) {
	shop := openShop(t)
	_, paid := shop.payer(wechat).prepare("/pay/cat-food")
	_, other := shop.payer(wechat).prepare("/pay/cat-food")
	require.NoError(t, shop.gateway.Pay(paid))
	assert.Contains(t, shop.caddy("", "query", paid).out, "Status            paid")
	assert.Regexp(t, `Status +closed`, shop.caddy("", "close", other).out)
	assert.EqualError(t, shop.caddy("", "close", paid).err, "the order is paid: only a pending one can be closed")
}

func TestTheExportIsForSpreadsheetsAndPrograms(t *testing.T) {
	shop := openShop(t)
	order := shop.sold("&ref=" + "%3D1%2B1")
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(shop.caddy("", "export").out, "\ufeff"))).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 2)
	assert.Equal(t, []string{
		"order", "status", "started", "paid_at", "fulfilled_at", "currency", "amount", "refunded", "net", "refund_pending", "description", "items", "ref",
	}, rows[0][:13])
	assert.Equal(t, []string{order, "paid"}, rows[1][:2])
	assert.Equal(t, []string{"HKD", "256.00", "0.00", "256.00", "0.00", "Cat food 猫粮 × 2", "2 × Cat food 猫粮", "'=1+1"}, rows[1][5:13], "no formula of a payer's")

	file := filepath.Join(t.TempDir(), "orders.jsonl")
	ran := shop.caddy("", "export", "--format", "jsonl", "--output", file)
	assert.Equal(t, "Orders written to "+file+": 1.\n", ran.notes)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	var row map[string]any
	require.NoError(t, json.Unmarshal(text, &row))
	assert.Equal(t, order, row["order"])
	assert.EqualError(t, shop.caddy("", "export", "--format", "xls").err, `--format is csv or jsonl, not "xls"`)
}

func TestAnInvoiceByCommandIsALinkAndItsQRCode(t *testing.T) {
	shop := openShop(t, withBlock("invoice_key 0123456789abcdef0123456789abcdef"))
	ran := shop.caddy("", "invoice", "99.00", "Vet visit", "--ref", "V-1", "--expires", "30d", "--public-url", shop.url)
	require.NoError(t, ran.err)
	lines := strings.Split(strings.TrimSpace(ran.out), "\n")
	link := lines[len(lines)-1]
	_, order := shop.payer(wechat).prepare(strings.TrimPrefix(link, shop.url))
	trade, _ := shop.gateway.Trade(order)
	assert.EqualValues(t, 9900, trade.Amount)
	assert.ErrorContains(t, shop.caddy("", "invoice", "99", "x", "--public-url", shop.url, "--expires", "soon").err, `--expires "soon" is neither`)
	assert.ErrorContains(t, shop.caddy("", "invoice", "-1", "x").err, "-1 is below zero")
	assert.ErrorContains(t, shop.caddy("", "invoice", "1.001", "x").err, "the amount:")
}

func TestAnInvoiceByCommandIsOfTheShopThatIsMeant(t *testing.T) {
	const key = "invoice_key 0123456789abcdef0123456789abcdef\n"
	shop := openShop(t, withBlock(key+"name pets"), func(s *shop, _ *qfpaytest.Config) {
		s.site = `qfpay_jsapi {
			app_code OTHERAPPCODE
			client_key {env.TEST_QFPAY_CLIENT_KEY}
			merchant_name "Other"
			currency JPY
			path /other
			name other
			ledger sqlite ` + s.file + `
			` + key + `}`
	})
	assert.EqualError(t, shop.caddy("", "invoice", "99", "Vet visit", "--public-url", shop.url).err,
		"several shops take invoices: add --name with one of pets, other")
	assert.Contains(t, shop.caddy("", "invoice", "99", "Vet visit", "--public-url", shop.url, "--name", "other", "--no-qr").out, shop.url+"/other?invoice=")
	assert.Contains(t, shop.caddy("", "invoice", "99", "Vet visit", "--public-url", shop.url, "--name", "pets", "--no-qr").out, shop.url+"/pay?invoice=")
	assert.ErrorContains(t, shop.caddy("", "invoice", "99", "x", "--name", "nobody").err, "no shop takes invoices, or none of this --name")
}

func TestTheDoctorFindsWhatIsWrong(t *testing.T) {
	shop := openShop(t)
	healthy := shop.caddy("", "doctor")
	assert.NoError(t, healthy.err)
	assert.Regexp(t, `GOOD +credentials +the gateway accepted a signed request`, healthy.out)
	assert.Regexp(t, `GOOD +official account +not configured: QFPay's own is used`, healthy.out)
	assert.Regexp(t, `GOOD +ledger +SQLite `+regexp.QuoteMeta(shop.file)+`: a row was written, read and deleted`, healthy.out)
	assert.Regexp(t, `GOOD +shops +every shop with open orders has a block`, healthy.out)
	assert.Regexp(t, `WARNING +public URL`, healthy.out)

	shop.notify(notification("NOT-OURS", nil))
	shop.block = "public_url https://localhost\nwebhook http://127.0.0.1:1/ whsec_bm8tc2VjcmV0LWJ1dC1hLWRlbW9uc3RyYXRpb24t\n"
	shop.load()
	shop.gateway.Inject(qfpaytest.Fault{Call: "query", Kind: qfpaytest.Respcd, Respcd: "1108"})
	ill := shop.caddy("", "doctor")
	assert.EqualError(t, ill.err, "exiting with status 3")
	for _, found := range []string{
		`BAD +credentials +qfpay: query: refused \(shop\): respcd 1108: bad signature or key`, `→ Compare app_code, client_key`,
		`BAD +notifications +localhost resolves to .*, which the gateway cannot reach`,
		`BAD +webhooks +127.0.0.1:1 cannot be reached`,
		`WARNING +orphans +payments without an order: 1`,
		`GOOD +public URL +https://localhost`,
	} {
		assert.Regexp(t, found, ill.out)
	}
	assert.NotContains(t, ill.out, clientKey)
}

func TestTheDoctorTriesTheOfficialAccount(t *testing.T) {
	shop := openShop(t, withOfficialAccount)
	healthy := shop.caddy("", "doctor")
	assert.NoError(t, healthy.err)
	assert.Regexp(t, `GOOD +official account +WeChat knows `+wechatApp+`, and refused only the code`, healthy.out)

	account := shop.account
	shop.account = func() string { return strings.Replace(account(), wechatSecret, "another-secret", 1) }
	shop.load()
	ill := shop.caddy("", "doctor")
	assert.EqualError(t, ill.err, "exiting with status 3")
	assert.Regexp(t, `BAD +official account +wechat: openid: refused \(shop\): errcode 40125: .*\n.*→ Compare app id and secret`, ill.out)
	assert.NotContains(t, ill.out, "another-secret")
}

func TestACommandWithoutCaddySaysSo(t *testing.T) {
	shop := openShop(t)
	shop.admin = freeAddress(t)
	assert.ErrorContains(t, shop.caddy("", "orders").err, "no Caddy answers at "+shop.admin+": is it running? If its admin API has another address, give --address or --config")
}
