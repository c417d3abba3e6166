package qfpayjsapi_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
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
	assert.Regexp(t, `^ORDER +STARTED +STATUS +AMOUNT +REFUNDED +REF +DESCRIPTION$`, lines[0])
	assert.Regexp(t, `^`+order+`  \d{4}-\d\d-\d\d \d\d:\d\d:\d\d  paid +HKD 256.00 +INV-7 +Cat food 猫粮 × 2$`, lines[1])
	assert.Equal(t, strings.Index(lines[0], "STATUS"), strings.Index(lines[1], "paid"), "columns are aligned")

	shown := shop.caddy("", "show", order).out
	for _, part := range []string{"Amount            HKD 256.00", "Item              2 × Cat food 猫粮, HKD 128.00 each", "  intent", "  paid"} {
		assert.Contains(t, shown, part)
	}
	assert.Regexp(t, `  intent +amount 256.00, currency HKD, .*, sent \d{4}-\d\d-\d\d \d\d:\d\d:\d\d`, shown, "for people, decimals and the local time")
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
		"":    "nothing was refunded: nobody confirmed it; add --yes where nobody can be asked",
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
	assert.Equal(t, "Refunded HKD 200.00 of order "+order+".\n", shop.caddy("", "refund", order, "--id", "rest").out, "again: no money moves, and nobody is asked")
	assert.EqualError(t, shop.caddy("", "refund", order).err, "nothing is left to refund of this order")
	assert.ErrorContains(t, shop.caddy("", "refund", order, "1.234", "--yes").err, "the amount: \"1.234\" has more decimals than HKD")
	assert.Regexp(t, `Refund rest +HKD 200.00, done`, shop.caddy("", "show", order).out)
	trade, _ := shop.gateway.Trade(order)
	assert.EqualValues(t, 25600, trade.Refunded)
}

func TestARefundWithoutAnOutcomeEndsWithItsOwnExitCode(t *testing.T) {
	shop := openShop(t)
	order := shop.sold("")
	shop.gateway.SetSlowRefunds(true)
	ran := shop.caddy("", "refund", order, "--yes", "--wait", "10ms")
	assert.EqualError(t, ran.err, "exiting with status 3")
	assert.Contains(t, ran.notes, "The gateway has not said yet whether HKD 256.00 went back")
	assert.Empty(t, ran.out)
}

func TestARefundThatIsRefusedSaysWhy(t *testing.T) {
	shop := openShop(t)
	order := shop.sold("")
	shop.gateway.Inject(qfpaytest.Fault{Call: "refund", Kind: qfpaytest.Respcd, Respcd: "1270"})
	err := shop.caddy("", "refund", order, "--yes", "--id", "r1").err
	assert.ErrorContains(t, err, "the refund r1 was refused, and no money went back: refund refused")
	assert.ErrorContains(t, err, "(respcd 1270); ask again with another refund_id")
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
	rows, err := csv.NewReader(strings.NewReader(shop.caddy("", "export").out)).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 2)
	assert.Equal(t, []string{"order", "status", "started", "paid_at", "currency", "amount", "refunded"}, rows[0][:7])
	assert.Equal(t, []string{order, "paid"}, rows[1][:2])
	assert.Equal(t, []string{"HKD", "256.00", "0.00", "Cat food 猫粮 × 2", "'=1+1"}, rows[1][4:9], "no formula of a payer's")

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
	assert.Greater(t, len(lines), 20, "the code")
	link := lines[len(lines)-1]
	_, order := shop.payer(wechat).prepare(strings.TrimPrefix(link, shop.url))
	trade, _ := shop.gateway.Trade(order)
	assert.EqualValues(t, 9900, trade.Amount)
	assert.ErrorContains(t, shop.caddy("", "invoice", "99", "x", "--public-url", shop.url, "--expires", "soon").err, `--expires "soon" is neither`)
	assert.ErrorContains(t, shop.caddy("", "invoice", "-1", "x").err, "unknown shorthand flag")
	assert.ErrorContains(t, shop.caddy("", "invoice", "1.001", "x").err, "the amount:")
}

func TestAnInvoiceByCommandIsOfTheShopThatIsMeant(t *testing.T) {
	const key = "invoice_key 0123456789abcdef0123456789abcdef\n"
	shop := openShop(t, withBlock(key+"name pets"), withSite(`qfpay_jsapi {
		app_code OTHERAPPCODE
		client_key {env.TEST_QFPAY_CLIENT_KEY}
		merchant_name "Other"
		currency JPY
		path /other
		name other
		`+key+`}`))
	assert.EqualError(t, shop.caddy("", "invoice", "99", "Vet visit", "--public-url", shop.url).err,
		"several shops take invoices: say with --name which of the ledgers is meant, pets or other")
	assert.Contains(t, shop.caddy("", "invoice", "99", "Vet visit", "--public-url", shop.url, "--name", "other", "--no-qr").out, shop.url+"/other?invoice=")
	assert.Contains(t, shop.caddy("", "invoice", "99", "Vet visit", "--public-url", shop.url, "--name", "pets", "--no-qr").out, shop.url+"/pay?invoice=")
	assert.ErrorContains(t, shop.caddy("", "invoice", "99", "x", "--name", "nobody").err, "no shop takes invoices")
}

func TestTheDoctorFindsWhatIsWrong(t *testing.T) {
	shop := openShop(t)
	healthy := shop.caddy("", "doctor")
	assert.NoError(t, healthy.err)
	assert.Regexp(t, `GOOD +credentials +the gateway answered a signed enquiry`, healthy.out)
	assert.Regexp(t, `GOOD +official account +none of the shop's own`, healthy.out)
	assert.Regexp(t, `WARNING +public URL`, healthy.out)

	shop.block = "public_url https://localhost\nwebhook http://127.0.0.1:1/ whsec_bm8tc2VjcmV0LWJ1dC1hLWRlbW9uc3RyYXRpb24t\n"
	shop.load()
	shop.gateway.Inject(qfpaytest.Fault{Call: "query", Kind: qfpaytest.Respcd, Respcd: "1108"})
	shop.notify(notification("NOT-OURS", nil))
	ill := shop.caddy("", "doctor")
	assert.EqualError(t, ill.err, "exiting with status 3")
	for _, found := range []string{
		`BAD +credentials +qfpay: query: refused \(shop\): respcd 1108: bad signature or key`, `→ Compare app_code, client_key`,
		`BAD +notifications +localhost leads to .*, which the gateway cannot reach`,
		`BAD +webhooks +127.0.0.1:1 is not to be reached`,
		`WARNING +orphans +1 payments belong to no order`,
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
	assert.Regexp(t, `GOOD +official account +WeChat knows `+wechatApp+`, and refused nothing but the code`, healthy.out)

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
	assert.ErrorContains(t, shop.caddy("", "orders").err, "no Caddy answers at "+shop.admin+": start it, or say with --address or --config")
}
