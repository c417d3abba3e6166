package cli_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/cli"
)

const someOrder = "01KAXJ0Y4G0000000000000000"

// caddy is an admin API that gives prepared answers, by method and path.
type caddy struct {
	answers map[string]answer
	asked   []string // method, path and body of each request
	breaks  bool     // the connection, at the end of each answer

	hangs func(context.Context) // is called where no answer is prepared; may be nil
}

type answer struct {
	status int // 0 is 200
	body   string
}

// Do implements cli.Client.
func (c *caddy) Do(ctx context.Context, method, path string, body io.Reader) (*http.Response, error) {
	text := ""
	if body != nil {
		read, err := io.ReadAll(body)
		if err != nil {
			return nil, err
		}
		text = " " + string(read)
	}
	c.asked = append(c.asked, method+" "+path+text)
	given, ok := c.answers[method+" "+path]
	if !ok && c.hangs != nil {
		c.hangs(ctx)
	}
	if !ok {
		return nil, errors.New("connection refused")
	}
	w := httptest.NewRecorder()
	if given.status != 0 {
		w.WriteHeader(given.status)
	}
	_, _ = io.WriteString(w, given.body)
	result := w.Result()
	if c.breaks {
		result.Body = io.NopCloser(io.MultiReader(result.Body, iotest.ErrReader(io.ErrUnexpectedEOF)))
	}
	return result, nil
}

func (c *caddy) String() string { return "localhost:2019" }

// posted is what was posted, one request after another.
func (c *caddy) posted() (bodies []string) {
	for _, request := range c.asked {
		if strings.HasPrefix(request, "POST ") {
			bodies = append(bodies, request)
		}
	}
	return bodies
}

// said is what a command printed, and how it ended.
type said struct {
	out, notes string
	err        error
}

// run runs a command, with what is typed.
func (c *caddy) run(t *testing.T, typed string, args ...string) said {
	t.Helper()
	parent := &cobra.Command{Use: "qfpay-jsapi"}
	cli.Add(parent, func(*cobra.Command) (cli.Client, error) { return c, nil })
	var out, notes bytes.Buffer
	parent.SetOut(&out)
	parent.SetErr(&notes)
	parent.SetIn(strings.NewReader(typed))
	parent.SetArgs(args)
	err := parent.ExecuteContext(t.Context())
	return said{out.String(), notes.String(), err}
}

func TestRefusalsAreReadFromTheAnswer(t *testing.T) {
	for name, test := range map[string]struct {
		answer answer
		err    string
	}{
		"the admin API's own words":            {answer{404, `{"error":"unknown order"}`}, "unknown order"},
		"words that a terminal would obey":     {answer{409, `{"error":"busy \u001b[2J"}`}, "busy  [2J"},
		"words that look like another refusal": {answer{400, `{"error":"HTTP 404: {\"error\":\"x\"}"}`}, `HTTP 404: {"error":"x"}`},
		"a Caddy without the module":           {answer{404, "404 page not found\n"}, "the Caddy at localhost:2019 is built without qfpay_jsapi: is it a different one?"},
		"something that is no Caddy":           {answer{502, "<html>"}, "localhost:2019 answered with status 502"},
		"words about a program's parameters":   {answer{409, `{"error":"the refund r exists already: choose another refund_id"}`}, "the refund r exists already: choose another --id"},
		"JSON without words":                   {answer{500, "{}"}, "localhost:2019 answered with status 500"},
	} {
		c := &caddy{answers: map[string]answer{"GET /qfpay_jsapi/orders/" + someOrder: test.answer}}
		assert.EqualError(t, c.run(t, "", "show", someOrder).err, test.err, name)
	}
}

func TestAnAnswerThatIsNoJSONIsSaid(t *testing.T) {
	c := &caddy{answers: map[string]answer{"GET /qfpay_jsapi/orders/" + someOrder: {body: "<html>"}}}
	assert.ErrorContains(t, c.run(t, "", "show", someOrder).err, "the answer from localhost:2019 cannot be read: ")
}

func TestACaddyThatDoesNotAnswerIsSaidWithItsCauses(t *testing.T) {
	err := (&caddy{}).run(t, "", "orders").err
	assert.EqualError(t, err, "no Caddy answers at localhost:2019: is it running? If its admin API has another address, give --address or --config; "+
		`if its configuration says "admin off", it has no admin API, and no command can reach it (connection refused)`)
}

func TestAnErrorOfTheConnectionIsTheCommandsOwn(t *testing.T) {
	parent := &cobra.Command{Use: "qfpay-jsapi", SilenceErrors: true}
	cli.Add(parent, func(*cobra.Command) (cli.Client, error) { return nil, errors.New("no such file") })
	parent.SetArgs([]string{"orders"})
	assert.EqualError(t, parent.Execute(), "no such file")
}

func TestARefundSendsTheAmountThatItShowed(t *testing.T) {
	const paid = `"order":"` + someOrder + `","status":"paid","currency":"HKD","amount":25600,`
	const post = "POST /qfpay_jsapi/orders/" + someOrder + "/refund"
	for name, test := range map[string]struct {
		detail string
		args   []string
		posted string
		err    string
		said   string // "" for the usual
	}{
		"all that is left": {paid + `"left":20600`, nil, `{"amount":20600,"refund_id":"r"}`, "", ""},
		"a part":           {paid + `"left":20600`, []string{"56"}, `{"amount":5600,"refund_id":"r"}`, "", ""},
		"again": {paid + `"left":5600,"refunds":[{"refund_id":"r","amount":20000,"status":"done"}]`, nil, `{"amount":20000,"refund_id":"r"}`, "",
			"Refund r was made before: HKD 206.00 of order " + someOrder + ". Nothing more was refunded.\n"},
		"again, with another amount":       {paid + `"left":5600,"refunds":[{"refund_id":"r","amount":20000,"status":"done"}]`, []string{"56"}, "", "the refund r already exists, over HKD 200.00: give another --id for another refund", ""},
		"nothing, while one is on its way": {paid + `"left":0,"refunding":true`, nil, "", "nothing is left to refund of this order: a refund is on its way", ""},
		"nothing":                          {paid + `"left":0`, nil, "", "nothing is left to refund of this order", ""},
		"of an order that is not paid":     {`"status":"pending","left":0`, nil, "", "the order is pending: only a paid one can be refunded", ""},
		"more decimals than the currency":  {paid + `"left":20600`, []string{"1.234"}, "", `the amount: "1.234" has more decimals than HKD`, ""},
	} {
		c := &caddy{answers: map[string]answer{
			"GET /qfpay_jsapi/orders/" + someOrder: {body: "{" + test.detail + "}"},
			post:                                   {body: `{"order":"` + someOrder + `","refund_id":"r","status":"done","currency":"HKD","display_amount":"206.00"}`},
		}}
		ran := c.run(t, "", append([]string{"refund", someOrder, "--id", "r", "--yes"}, test.args...)...)
		if test.err != "" {
			assert.ErrorContains(t, ran.err, test.err, name)
			assert.Empty(t, c.posted(), "%s: what was not shown is not sent", name)
			continue
		}
		assert.NoError(t, ran.err, name)
		assert.Equal(t, []string{post + " " + test.posted}, c.posted(), name)
		assert.Equal(t, cmp.Or(test.said, "Refunded HKD 206.00 of order "+someOrder+".\n"), ran.out, name)
	}
}

func TestARefundThatNobodyConfirmsIsNotSent(t *testing.T) {
	c := &caddy{answers: map[string]answer{
		"GET /qfpay_jsapi/orders/" + someOrder: {body: `{"order":"` + someOrder + `","status":"paid","currency":"HKD","left":20600,"description":"Cat\u001b[2J","display_amount":"256.00"}`},
	}}
	for typed, want := range map[string]string{
		"":       "nothing was refunded, because nobody confirmed it: add --yes in scripts",
		"n\n":    "nothing was refunded",
		"\n":     "nothing was refunded",
		"yess\n": "nothing was refunded",
	} {
		ran := c.run(t, typed, "refund", someOrder)
		assert.EqualError(t, ran.err, want, typed)
		assert.Contains(t, ran.notes, "Refund HKD 206.00 of order "+someOrder+" (Cat [2J, HKD 256.00)? [y/N]")
	}
	assert.Empty(t, c.posted())
}

// The id of a new refund is worth showing where there is such a refund, or may be one.
func TestTheIDOfARefundIsShownOnlyIfThereMayBeOne(t *testing.T) {
	const id, unknown = `[0-9A-Z]{26}`, `it is not known whether the refund was made: run the command again with --id `
	for name, test := range map[string]struct {
		answer answer
		says   string // all of it
	}{
		"made":                        {answer{body: `{"status":"done"}`}, `Refund ` + id + `\n`},
		"refused":                     {answer{409, `{"error":"at most HKD 200.00 is left"}`}, `Error: at most HKD 200.00 is left\n`},
		"the ledger is slow":          {answer{503, `{"error":"the ledger is slow"}`}, `Error: ` + unknown + id + ` \(the ledger is slow\)\n`},
		"an answer that is not whole": {answer{body: `{"status":`}, `Error: ` + unknown + id + ` \(the answer from localhost:2019 cannot be read: unexpected EOF\)\n`},
	} {
		c := &caddy{answers: map[string]answer{
			"GET /qfpay_jsapi/orders/" + someOrder:              {body: `{"order":"` + someOrder + `","status":"paid","currency":"HKD","left":20600}`},
			"POST /qfpay_jsapi/orders/" + someOrder + "/refund": test.answer,
		}}
		ran := c.run(t, "", "refund", someOrder, "--yes")
		assert.Regexp(t, "^"+test.says+"$", ran.notes, name)
		assert.Equal(t, name != "made", ran.err != nil, name)
	}
}

func TestARefundThatIsInterruptedSaysHowToGoOn(t *testing.T) {
	c := &caddy{answers: map[string]answer{
		"GET /qfpay_jsapi/orders/" + someOrder: {body: `{"order":"` + someOrder + `","status":"paid","currency":"HKD","left":20600}`},
	}, hangs: func(ctx context.Context) {
		self, err := os.FindProcess(os.Getpid())
		require.NoError(t, err)
		require.NoError(t, self.Signal(os.Interrupt))
		<-ctx.Done()
	}}
	err := c.run(t, "", "refund", someOrder, "--yes", "--id", "r").err
	assert.EqualError(t, err, "it is not known whether the refund was made: run the command again with --id r (interrupt signal received)")
}

func TestARefundWithoutAnOutcomeEndsWithAnExitCodeOfItsOwn(t *testing.T) {
	c := &caddy{answers: map[string]answer{
		"GET /qfpay_jsapi/orders/" + someOrder:              {body: `{"order":"` + someOrder + `","status":"paid","currency":"HKD","left":20600}`},
		"POST /qfpay_jsapi/orders/" + someOrder + "/refund": {body: `{"order":"` + someOrder + `","status":"pending","currency":"HKD","display_amount":"206.00"}`},
	}}
	ran := c.run(t, "y\n", "refund", someOrder, "--wait", "0s")
	assert.ErrorIs(t, ran.err, cli.Undecided)
	assert.Contains(t, ran.notes, "It is not known yet whether HKD 206.00 was refunded.")
	assert.NotContains(t, ran.notes, "exit code", "everything was said already")
}

func TestOrdersAreListedPageByPageUpToTheLimit(t *testing.T) {
	c := &caddy{answers: map[string]answer{
		"GET /qfpay_jsapi/orders?limit=3&method=payme&status=paid":          {body: `{"orders":[{"order":"A","status":"paid","method":"payme","currency":"HKD","display_amount":"1.00"},{"order":"B","status":"paid"}],"next":"B"}`},
		"GET /qfpay_jsapi/orders?before=B&limit=1&method=payme&status=paid": {body: `{"orders":[{"order":"C","status":"paid","late":true,"disputed":true}],"next":"C"}`},
	}}
	ran := c.run(t, "", "orders", "--limit", "3", "--status", "paid", "--method", "payme")
	require.NoError(t, ran.err)
	assert.Regexp(t, `(?s)^ORDER .*\nA .*paid +payme +HKD 1.00\nB .*\nC .*paid, late, disputed`, ran.out)
	assert.Equal(t, "There are more orders: raise --limit to see them.\n", ran.notes)
	assert.EqualError(t, c.run(t, "", "orders", "--limit", "0").err, "--limit must be at least 1")
}

func TestAnExportThatBreaksOffFails(t *testing.T) {
	c := &caddy{answers: map[string]answer{"GET /qfpay_jsapi/export?format=csv": {body: "order,status\nA,paid\nB,"}}, breaks: true}
	file := filepath.Join(t.TempDir(), "orders.csv")
	ran := c.run(t, "", "export", "--output", file)
	assert.ErrorContains(t, ran.err, file+" is incomplete: the export stopped after 2 lines: ")
	assert.NotContains(t, ran.notes, "Orders written")
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, "order,status\nA,paid\nB,", string(text))
}

func TestAnExportIsForItsOwnerOnly(t *testing.T) {
	c := &caddy{answers: map[string]answer{"GET /qfpay_jsapi/export?fields=true&format=csv": {body: "order,field.name\nA,Ann\n"}}}
	folder := t.TempDir()
	before := filepath.Join(folder, "before.csv")
	require.NoError(t, os.WriteFile(before, []byte("an export of another day, which is longer"), 0o644))
	require.NoError(t, os.Chmod(before, 0o644), "whatever the umask is")
	for _, file := range []string{filepath.Join(folder, "new.csv"), before} {
		require.NoError(t, c.run(t, "", "export", "--fields", "--output", file).err)
		info, err := os.Stat(file)
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o600), info.Mode().Perm(), file)
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.Equal(t, "order,field.name\nA,Ann\n", string(text), file)
	}
}

func TestTheDoctorsFindingsAreGroupedByShop(t *testing.T) {
	c := &caddy{answers: map[string]answer{"POST /qfpay_jsapi/doctor": {body: `{"findings":[
		{"shop":"Pets /pay","check":"clock","status":"good","found":"within 1s"},
		{"shop":"Pets /pay","check":"ledger","status":"bad","found":"disk\u001b[2J full","advice":"Make room."},
		{"shop":"Toys /toys","check":"clock","status":"warning","found":"unknown"}]}`}}}
	ran := c.run(t, "", "doctor")
	assert.ErrorIs(t, ran.err, cli.Undecided)
	assert.Equal(t, `Pets /pay
  GOOD     clock            within 1s
  BAD      ledger           disk [2J full
                            → Make room.
Toys /toys
  WARNING  clock            unknown
`, ran.out)
	assert.ErrorIs(t, c.run(t, "", "doctor", "--json").err, cli.Undecided)
}

func TestAnInvoiceIsForTheShopThatIsMeant(t *testing.T) {
	c := &caddy{answers: map[string]answer{
		"GET /qfpay_jsapi/shops": {body: `{"shops":[{"name":"pets","currency":"HKD","invoices":true},{"name":"pets","currency":"HKD","invoices":true},
			{"name":"toys","currency":"JPY","invoices":true},{"name":"plants","currency":"HKD","invoices":false}]}`},
		"POST /qfpay_jsapi/invoices": {body: `{"url":"https://shop.example/pay?invoice=t","token":"t"}`},
	}}
	assert.EqualError(t, c.run(t, "", "invoice", "99", "Visit").err, "several shops take invoices: add --name with one of pets, toys")
	assert.EqualError(t, c.run(t, "", "invoice", "99", "Visit", "--name", "plants").err, "no shop takes invoices, or none of this --name and --path: set invoice_key in its qfpay_jsapi block")
	ran := c.run(t, "", "invoice", "99", "Visit", "--name", "toys", "--ref", "V-1", "--expires", "2030-01-02T03:04:05Z", "--no-qr")
	require.NoError(t, ran.err)
	assert.Equal(t, "https://shop.example/pay?invoice=t\n", ran.out)
	assert.Equal(t, []string{`POST /qfpay_jsapi/invoices {"amount":99,"currency":"JPY","text":"Visit","ref":"V-1","expires":"2030-01-02T03:04:05Z","uses":1,"name":"toys"}`}, c.posted())
	assert.Equal(t, ran.out, c.run(t, "", "invoice", "99", "Visit", "--name", "toys").out, "no QR code in a pipe or a file")
}

func TestAComparisonIsPrintedForPeople(t *testing.T) {
	const asked = "POST /qfpay_jsapi/compare"
	for name, test := range map[string]struct {
		answer, out, notes string
		err                error
	}{
		"nothing differs": {
			`{"from":"2026-11-22","to":"2026-11-23","trades":5,"here":5,"findings":[]}`,
			"2026-11-22 to 2026-11-23: payments and refunds: 5 at the gateway, 5 in the ledger.\n\nNothing differs.\n", "", nil,
		},
		"words that a terminal would obey": {
			`{"from":"2026-11-23","to":"2026-11-23","trades":1,"differences":1,"findings":[{"kind":"unknown_there","out_trade_no":"A\u001b[2J","syssn":"9",
				"there":500,"display_there":"5.00","currency":"HKD","text":"no order\u001b[2J here"}]}`,
			"2026-11-23: payments and refunds: 1 at the gateway, 0 in the ledger.\n\n" +
				"unknown_there   no order (A [2J)  syssn 9  there HKD 5.00, here nothing\n" +
				"                no order [2J here\n\nDifferences: 1.\n", "", cli.Undecided,
		},
		"more than are listed, and not complete": {
			`{"from":"2026-11-23","to":"2026-11-23","differences":2000,"findings":[],"problem":"stopped on 2026-11-23: it took too long"}`,
			"2026-11-23: payments and refunds: 0 at the gateway, 0 in the ledger.\n\nDifferences: 2000; the first 0 are shown.\n",
			"The comparison is incomplete: stopped on 2026-11-23: it took too long.\n", cli.Undecided,
		},
	} {
		c := &caddy{answers: map[string]answer{asked: {body: test.answer}}}
		ran := c.run(t, "", "compare", "--from", "2026-11-22", "--name", "peaks")
		assert.Equal(t, test.err, ran.err, name)
		assert.Equal(t, test.out, ran.out, name)
		assert.Equal(t, test.notes, ran.notes, name)
		assert.Equal(t, []string{asked + ` {"from":"2026-11-22","name":"peaks"}`}, c.posted(), name)
	}
}
