package backoffice

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/orders"
)

// service notes what is asked of it, and answers as it is told.
type service struct {
	asked  []string
	status ledger.RefundStatus
	err    error
}

func (s *service) LookUp(_ context.Context, id string) (ledger.Order, error) {
	s.asked = append(s.asked, "query "+id)
	return ledger.Order{}, s.err
}

func (s *service) Close(_ context.Context, id string) (ledger.Order, error) {
	s.asked = append(s.asked, "close "+id)
	return ledger.Order{}, s.err
}

func (s *service) Refund(_ context.Context, id, refundID string, amount int64) (ledger.Refund, error) {
	s.asked = append(s.asked, fmt.Sprint("refund ", id, " ", refundID, " ", amount))
	return ledger.Refund{Order: id, RefundID: refundID, Amount: amount, Currency: "HKD", Status: s.status, Respcd: "1265", Message: "not now"}, s.err
}

func (s *service) Fulfil(_ context.Context, id, note string) (ledger.Order, error) {
	s.asked = append(s.asked, "fulfil "+id+" "+note)
	return ledger.Order{}, s.err
}

func (s *service) Unfulfil(_ context.Context, id string) (ledger.Order, error) {
	s.asked = append(s.asked, "unfulfil "+id)
	return ledger.Order{}, s.err
}

func (s *service) SetStock(_ context.Context, item string, available int64) error {
	s.asked = append(s.asked, fmt.Sprint("stock ", item, " ", available))
	return s.err
}

func (d *desk) served() *service {
	s := &service{status: ledger.RefundDone}
	d.Service = func(shop string) Service {
		require.Equal(d.t, "harbour", shop)
		return s
	}
	return s
}

func TestTheOwnerAsksClosesAndRefunds(t *testing.T) {
	d := openDesk(t, "harbour")
	order, s := d.paid(0, "harbour", time.Minute), d.served()
	for _, test := range []struct {
		do     func(*Office, http.ResponseWriter, *http.Request) error
		body   string
		ends   ledger.RefundStatus
		status int
		want   string
		asked  string
	}{
		{(*Office).QueryOrder, "{}", "", 200, `"order":"` + order, "query " + order},
		{(*Office).CloseOrder, "{}", "", 200, `"order":"` + order, "close " + order},
		{(*Office).RefundOrder, `{"refund_id":"r1","amount":5600}`, ledger.RefundDone, 200, `"status":"done"`, "refund " + order + " r1 5600"},
		{(*Office).RefundOrder, `{"refund_id":"r1"}`, ledger.RefundDone, 200, `"status":"done"`, "refund " + order + " r1 0"},
		{(*Office).RefundOrder, `{"refund_id":"r1","amount":1}`, ledger.RefundSent, 202, `"status":"pending"`, "refund " + order + " r1 1"},
		{(*Office).RefundOrder, `{"refund_id":"r1","amount":1}`, ledger.RefundWaiting, 202, `"reason":"waits for another refund of this payment"`, "refund " + order + " r1 1"},
		{(*Office).RefundOrder, `{"refund_id":"r1","amount":1}`, ledger.RefundRefused, 409, "the refund r1 was refused, and no money went back: not now (respcd 1265)", "refund " + order + " r1 1"},
		{(*Office).RefundOrder, `{"refund_id":"r1","amount":null}`, "", 400, "amount must be a whole number", ""},
		{(*Office).RefundOrder, `{"refund_id":"r1","amount":0}`, "", 400, "amount must be positive", ""},
		{(*Office).RefundOrder, `{"refund_id":"r1","amount":-1}`, "", 400, "amount must be positive", ""},
		{(*Office).RefundOrder, `{"refund_id":"r1","amount":"1"}`, "", 400, "amount must be a whole number", ""},
		{(*Office).RefundOrder, `{"refund_id":"r1","amount":28.5}`, "", 400, "amount must be a whole number", ""},
		{(*Office).RefundOrder, `{"refund_id":"r1","amuont":1}`, "", 400, "unknown field", ""},
		{(*Office).RefundOrder, `{"refund_id":"r1","amount":1,"amount":5600}`, "", 400, `says "amount" twice`, ""},
		{(*Office).RefundOrder, `{"refund_id":"r1","amount":1,"Amount":5600}`, "", 400, `says "Amount" twice`, ""},
		{(*Office).RefundOrder, `{"refund_id":"r1","amount":1}{"amount":2}`, "", 400, "more than one JSON value", ""},
		{(*Office).FulfilOrder, `{"note":"SF 1"}`, "", 200, `"order":"` + order, "fulfil " + order + " SF 1"},
		{(*Office).FulfilOrder, `{}`, "", 200, `"order":"` + order, "fulfil " + order + " "},
		{(*Office).FulfilOrder, `{"note":1}`, "", 400, "cannot be read", ""},
		{(*Office).CloseOrder, `{"really":true}`, "", 400, "unknown field", ""},
	} {
		s.asked, s.status = nil, test.ends
		status, text := d.ask(test.do, "/orders/"+order, test.body)
		assert.Equal(t, test.status, status, test.body)
		assert.Contains(t, text, test.want, test.body)
		assert.Equal(t, test.asked, strings.Join(s.asked, "; "), test.body)
	}
}

func TestEveryErrorIsSaidWithItsStatus(t *testing.T) {
	for _, test := range []struct {
		err    error
		status int
		text   string
	}{
		{&orders.Refusal{Kind: orders.Invalid, Text: "a"}, 400, "a"},
		{&orders.Refusal{Kind: orders.Conflict, Text: "b"}, 409, "b"},
		{&orders.Refusal{Kind: orders.Busy, Text: "c"}, 503, "c"},
		{fmt.Errorf("more: %w", &orders.Refusal{Kind: orders.Gateway, Text: "d"}), 502, "d"},
		{fmt.Errorf("more: %w", ledger.ErrUnknown), 404, "unknown order"},
		{fmt.Errorf("more: %w", context.DeadlineExceeded), 503, "the ledger did not answer in time, try again"},
		{ledger.ErrClosed, 503, "the ledger cannot be used: the ledger is closed"},
		{errors.New("the disk is full"), 503, "the ledger cannot be used: the disk is full"},
		{Deny(418, "%d", 1), 418, "1"},
	} {
		assert.Equal(t, Denial{test.status, test.text}, DenialOf(test.err))
	}
}

// browser is one in which the owner works.
type browser struct {
	*desk
	cookie *http.Cookie
	header http.Header
}

func (b *browser) send(method, query string, form url.Values) *httptest.ResponseRecorder {
	b.t.Helper()
	w, r := httptest.NewRecorder(), httptest.NewRequest(method, "/orders"+query, strings.NewReader(form.Encode()))
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for name, values := range b.header {
		r.Header[name] = values
	}
	if b.cookie != nil {
		r.AddCookie(b.cookie)
	}
	require.NoError(b.t, testPages(b.Office).ServeHTTP(w, r))
	for _, cookie := range w.Result().Cookies() {
		b.cookie = cookie
	}
	return w
}

func (b *browser) get(query string) string {
	b.t.Helper()
	return b.send(http.MethodGet, query, nil).Body.String()
}

// hiddenOf are the hidden inputs of the form that does something.
func hiddenOf(t testing.TB, page, do string) url.Values {
	t.Helper()
	_, form, found := strings.Cut(page, `name="do" value="`+do+`"`)
	require.True(t, found, page)
	form, _, _ = strings.Cut(form, "</form>")
	values := url.Values{"do": {do}}
	for _, input := range regexp.MustCompile(`name="([^"]+)" value="([^"]*)"`).FindAllStringSubmatch(form, -1) {
		values.Set(input[1], html.UnescapeString(input[2]))
	}
	return values
}

// question is the page that asks whether to do something, by the form that leads to
// it: the first for refund, with an amount, or the one for close.
func (b *browser) question(order, name, value string) string {
	b.t.Helper()
	found := regexp.MustCompile(`name="was" value="([^"]+)"`).FindStringSubmatch(b.get("?order=" + order))
	require.NotNil(b.t, found)
	return b.get("?" + url.Values{"order": {order}, "was": {found[1]}, name: {value}}.Encode())
}

const nothingDone = "The order has changed since you loaded the page"

func TestThePageSendsTheAmountThatItShowed(t *testing.T) {
	d := openDesk(t, "harbour")
	order := d.paid(0, "harbour", time.Minute)
	s, b := d.served(), &browser{desk: d}
	d.update(0, func(tx *ledger.Tx) error {
		return tx.SaveRefund(ledger.Refund{Order: order, Number: "n1", RefundID: "page-1", Amount: 5000, Currency: "HKD", Status: ledger.RefundSent, Requested: november})
	})
	question := b.question(order, "refund", "206.00")
	for _, part := range []string{"Refund HK$206.00 of HK$256.00?</h1>", "<dt>Refunds in progress</dt><dd>−HK$50.00</dd>", "<dt>Net after this refund</dt><dd>HK$0.00</dd>", "Refund HK$206.00</button>"} {
		assert.Contains(t, question, part)
	}
	done := b.send(http.MethodPost, "?order="+order, hiddenOf(t, question, "refund"))
	assert.Equal(t, http.StatusSeeOther, done.Code)
	assert.Equal(t, "?order="+order+"&done=refund.page-2", done.Header().Get("Location"))
	assert.Equal(t, []string{"refund " + order + " page-2 20600"}, s.asked)
	for typed, says := range map[string]string{"206.01": "more than is left", "x": "not a valid amount"} {
		wrong := b.question(order, "refund", typed)
		assert.Contains(t, wrong, `aria-invalid="true"`)
		assert.Contains(t, wrong, says)
	}
	assert.Contains(t, b.question(order, "refund", "1.00"), "Refund HK$1.00 of HK$256.00?")
	assert.Contains(t, b.get("?order="+order), `<input type="hidden" name="refund" value="206.00">`, "all that is left at once")
}

// Whatever has become of an order meanwhile, a page that shows it as it was does
// nothing, says so and offers it as it is.
func TestNothingIsDoneToAnOrderThatIsNotAsThePageShowedIt(t *testing.T) {
	type meanwhile func(*desk, string)
	refunded := func(status ledger.RefundStatus) meanwhile {
		return func(d *desk, order string) {
			d.update(0, func(tx *ledger.Tx) error {
				o, err := tx.Order(order)
				if err != nil {
					return err
				}
				if o.CheckAt = november; status == ledger.RefundDone {
					o.Refunded, o.Status = 5600, ledger.StatusPartiallyRefunded
				}
				if err := tx.SaveRefund(ledger.Refund{Order: order, Number: "n1", RefundID: "page-1", Amount: 5600, Currency: "HKD", Status: status, Requested: november}); err != nil {
					return err
				}
				return tx.Save(o)
			})
		}
	}
	fulfilled := func(d *desk, order string) { d.fulfilled(0, order, "somebody else's") }
	paid := func(d *desk, order string) {
		d.update(0, func(tx *ledger.Tx) error {
			o, err := tx.Order(order)
			if err != nil {
				return err
			}
			o.Status, o.PaidAt, o.Syssn = ledger.StatusPaid, november, "2026"
			return tx.Save(o)
		})
	}
	ask := func(name, value string) func(*browser, string) url.Values {
		return func(b *browser, order string) url.Values { return hiddenOf(b.t, b.question(order, name, value), name) }
	}
	own := func(do string) func(*browser, string) url.Values {
		return func(b *browser, order string) url.Values { return hiddenOf(b.t, b.get("?order="+order), do) }
	}
	toDo := func(b *browser, _ string) url.Values { return hiddenOf(b.t, b.get(""), "fulfil") }
	for name, test := range map[string]struct {
		order  func(*desk) string
		form   func(*browser, string) url.Values
		change meanwhile
		keeps  string // of what was typed
	}{
		"a refund, after a refund":                    {isPaid, ask("refund", "100.00"), refunded(ledger.RefundDone), `required value="100.00"`},
		"a refund, while one is in progress":          {isPaid, ask("refund", "100.00"), refunded(ledger.RefundSent), `required value="100.00"`},
		"a refund, after the order was fulfilled":     {isPaid, ask("refund", "100.00"), fulfilled, `required value="100.00"`},
		"a close, after the order was paid":           {isPending, ask("close", "1"), paid, ""},
		"fulfilment, after a refund":                  {isPaid, own("fulfil"), refunded(ledger.RefundDone), `value="SF 9"`},
		"fulfilment, after somebody else's":           {isPaid, own("fulfil"), fulfilled, `value="SF 9"`},
		"fulfilment on the list, after a refund":      {isPaid, toDo, refunded(ledger.RefundDone), `value="SF 9"`},
		"fulfilment on the list, with one on its way": {isPaid, toDo, refunded(ledger.RefundWaiting), `value="SF 9"`},
		"undoing, after a refund":                     {isFulfilled, own("unfulfil"), refunded(ledger.RefundDone), ""},
		"another note, after somebody else's":         {isFulfilled, own("fulfil"), fulfilled, `value="SF 9"`},
	} {
		t.Run(name, func(t *testing.T) {
			d := openDesk(t, "harbour")
			order := test.order(d)
			s, b := d.served(), &browser{desk: d}
			form := test.form(b, order)
			form.Set("note", "SF 9")
			test.change(d, order)
			post := b.send(http.MethodPost, "?order="+order, form)
			assert.Equal(t, http.StatusConflict, post.Code)
			assert.Contains(t, post.Body.String(), nothingDone)
			assert.Contains(t, post.Body.String(), test.keeps)
			assert.Empty(t, s.asked)
			if do := form.Get("do"); do == "fulfil" || do == "unfulfil" {
				again := hiddenOf(t, post.Body.String(), do)
				again.Set("note", "SF 9")
				assert.Equal(t, http.StatusSeeOther, b.send(http.MethodPost, "?order="+order, again).Code, "asked again, it is done")
				assert.Len(t, s.asked, 1)
			}
		})
	}
}

func isPaid(d *desk) string    { return d.paid(0, "harbour", time.Minute) }
func isPending(d *desk) string { return d.pending(0, "harbour", time.Minute) }

func isFulfilled(d *desk) string {
	order := isPaid(d)
	d.damage(0, "UPDATE orders SET fulfilled_at = paid_at, note = 'SF 1' WHERE id = ?", order)
	return order
}

// Back leads to the question once more, or to the page before it.
func TestAfterARefundBackDoesNotOfferItOnceMore(t *testing.T) {
	d := openDesk(t, "harbour")
	order := d.paid(0, "harbour", time.Minute)
	s, b := d.served(), &browser{desk: d}
	was := hiddenOf(t, b.get("?order="+order), "fulfil").Get("was")
	address := "?order=" + order + "&was=" + was + "&refund=56.00"
	form := hiddenOf(t, b.get(address), "refund")
	assert.Equal(t, http.StatusSeeOther, b.send(http.MethodPost, "?order="+order, form).Code)
	d.update(0, func(tx *ledger.Tx) error {
		o, err := tx.Order(order)
		if err != nil {
			return err
		}
		o.Refunded, o.Status = 5600, ledger.StatusPartiallyRefunded
		if err := tx.SaveRefund(ledger.Refund{Order: order, Number: "n1", RefundID: "page-1", Amount: 5600, Currency: "HKD", Status: ledger.RefundDone, Requested: november}); err != nil {
			return err
		}
		return tx.Save(o)
	})
	back := b.send(http.MethodGet, address, nil)
	assert.Equal(t, http.StatusConflict, back.Code)
	assert.Contains(t, back.Body.String(), nothingDone)
	assert.Contains(t, back.Body.String(), "−HK$56.00")
	assert.NotContains(t, back.Body.String(), `name="do" value="refund"`)
	assert.Contains(t, b.get("?order="+order+"&close=1&was="+was), nothingDone, "nor anything else")
	assert.Equal(t, http.StatusSeeOther, b.send(http.MethodPost, "?order="+order, form).Code, "a second click of the same form")
	assert.Len(t, s.asked, 1)
}

func TestFormsThatWereNotMadeForThisDoNothing(t *testing.T) {
	d := openDesk(t, "harbour")
	order, other := d.paid(0, "harbour", time.Minute), d.paid(0, "harbour", time.Minute)
	s, b := d.served(), &browser{desk: d}
	form := hiddenOf(t, b.question(order, "refund", "100.00"), "refund")
	changed := func(name, value string) url.Values {
		values := url.Values{}
		for key := range form {
			values.Set(key, form.Get(key))
		}
		values.Set(name, value)
		return values
	}
	stranger := &browser{desk: d}
	stranger.get("?order=" + order)
	from := func(name, value string) *browser {
		return &browser{desk: d, cookie: b.cookie, header: http.Header{name: {value}}}
	}
	for name, post := range map[string]*httptest.ResponseRecorder{
		"without the token":  b.send(http.MethodPost, "?order="+order, changed("token", "")),
		"another amount":     b.send(http.MethodPost, "?order="+order, changed("amount", "20000")),
		"another refund":     b.send(http.MethodPost, "?order="+order, changed("refund_id", "page-2")),
		"another action":     b.send(http.MethodPost, "?order="+order, changed("do", "close")),
		"another order":      b.send(http.MethodPost, "?order="+other, form),
		"without the cookie": (&browser{desk: d}).send(http.MethodPost, "?order="+order, form),
		"another browser":    stranger.send(http.MethodPost, "?order="+order, form),
		"another site":       from("Sec-Fetch-Site", "cross-site").send(http.MethodPost, "?order="+order, form),
		"another origin":     from("Origin", "https://evil.example").send(http.MethodPost, "?order="+order, form),
	} {
		assert.Equal(t, http.StatusForbidden, post.Code, name)
		assert.Contains(t, post.Body.String(), "Nothing was done", name)
	}
	assert.Equal(t, http.StatusUnsupportedMediaType, b.send(http.MethodPost, "?order="+order, url.Values{"x": {strings.Repeat("x", 17<<10)}}).Code)
	assert.Empty(t, s.asked)
	assert.Equal(t, http.StatusSeeOther, b.send(http.MethodPost, "?order="+order, form).Code, "the form itself does")
	assert.True(t, b.cookie.HttpOnly)
}

func TestThePageSaysWhatIsWrong(t *testing.T) {
	d := openDesk(t, "harbour")
	order := d.pending(0, "harbour", time.Minute)
	b := &browser{desk: d}
	for query, status := range map[string]int{
		"?order=01M821FMT07W1N4ZJ6X0Q3V5YB":         404,
		"?order=../x":                               404,
		"?order=01M821FMT07W1N4ZJ6X0Q3V5YB&close=1": 404,
		"?day=yesterday":                            400,
		"?status=lost":                              400,
		"?status=lost&format=csv":                   400,
		"?name=other":                               400,
		"?before=x":                                 400,
		"?q=%00":                                    400,
		"?q=%ff":                                    400,
	} {
		assert.Equal(t, status, b.send(http.MethodGet, query, nil).Code, query)
	}
	assert.Equal(t, http.StatusMethodNotAllowed, b.send(http.MethodDelete, "", nil).Code)
	s := d.served()
	for kind, status := range map[orders.RefusalKind]int{orders.Conflict: 409, orders.Gateway: 502, orders.Invalid: 400, orders.Busy: 503} {
		s.err = &orders.Refusal{Kind: kind, Text: "because"}
		answer := b.send(http.MethodPost, "?order="+order, hiddenOf(t, b.get("?order="+order), "query"))
		assert.Equal(t, status, answer.Code)
		assert.Contains(t, answer.Body.String(), `href="?order=`+order+`"`)
	}
	require.NoError(t, d.Ledgers[0].Close())
	down := b.send(http.MethodGet, "", nil)
	assert.Equal(t, http.StatusServiceUnavailable, down.Code)
	assert.Contains(t, down.Body.String(), "The orders cannot be read right now")
}

func TestAnExportIsWholeOrBreaksOff(t *testing.T) {
	d := openDesk(t, "harbour", "other")
	var want []string
	for i := range 2500 {
		want = append(want, started(time.Duration(i)*time.Second))
	}
	for number, shop := range []string{"harbour", "other"} {
		d.update(number, func(tx *ledger.Tx) error {
			for i, order := range want {
				if i%2 == number {
					if err := claim(tx, shop, order, november); err != nil {
						return err
					}
				}
			}
			return nil
		})
	}
	_, text := d.ask((*Office).ExportOrders, "/export", "")
	var got []string
	for lines := json.NewDecoder(strings.NewReader(text)); ; {
		var row Row
		err := lines.Decode(&row)
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		got = append(got, row.Order)
	}
	assert.Equal(t, want, got, "the oldest first, none twice, over the borders of the pieces")
	csv := d.page("format=csv").Body.String()
	assert.True(t, strings.HasPrefix(csv, "\ufefforder,status,"))
	assert.Equal(t, 2501, strings.Count(csv, "\n"))

	cut := &closing{ResponseRecorder: httptest.NewRecorder(), at: 1, close: func() { _ = d.Ledgers[1].Close() }}
	assert.PanicsWithValue(t, http.ErrAbortHandler, func() {
		_ = d.ExportOrders(cut, httptest.NewRequest(http.MethodGet, "/export", nil))
	}, "so that nobody takes what came for the whole")
	status, said := d.ask((*Office).ExportOrders, "/export", "")
	assert.Equal(t, http.StatusServiceUnavailable, status, "before anything was written, the error can be said")
	assert.Contains(t, said, "the ledger is closed")
}

// closing does something after so many pieces.
type closing struct {
	*httptest.ResponseRecorder
	at    int
	close func()
}

func (c *closing) Write(text []byte) (int, error) {
	if c.at--; c.at == 0 {
		c.close()
	}
	return c.ResponseRecorder.Write(text)
}

func TestCellsAreHarmlessToSpreadsheets(t *testing.T) {
	for text, cell := range map[string]string{
		"=1+1": "'=1+1", "＝1+1": "'＝1+1", "@x": "'@x", "-1": "'-1", "a\x1b[31m\nb": "a [31m b", "\t=1": " '=1", "plain": "plain",
		"  =1": "  '=1", "x;=cmd|' /C calc'!A0": "x;'=cmd|' /C calc'!A0", "x; =1": "x; '=1", "x;\"=1\"": "x;\"'=1\"", "x,+1|@y\t-2": "x,'+1|'@y -2",
		"x\r\n=1": "x  =1", "\u200e=1": " '=1", "\u3000＝1": "\u3000'＝1", "\u00a0=1": "\u00a0'=1", "a;;=1": "a;;'=1",
		"2026-11-23": "'2026-11-23", "a=b, c": "a=b, c", "Cat food +2": "Cat food +2", "x\xff;=1": "x\ufffd;'=1",
	} {
		row := newRow(ledger.Row{Ref: text, Status: ledger.StatusPaid, Currency: "HKD"})
		assert.Equal(t, cell, columns{}.cells(exported{Row: row})[slices.Index(columns{}.header(), "ref")], text)
	}
	for _, c := range []columns{{}, {told: true, fields: []string{"name"}}} {
		assert.Len(t, c.cells(exported{}), len(c.header()))
	}
}

func TestTextOfOthersIsOneLineThatReadsAsItStands(t *testing.T) {
	for text, shown := range map[string]string{
		"a\u2028b\u2029c\u0085d\x7f\u009b": "a b c d  ", "abc\u202egpj.exe\u2066": "abc gpj.exe ",
		"IN\u200bV\ufeff-\u20607\u00ad": "IN V - 7 ", "\u200ea\u200fb\u061cc": " a b c", "\U000e0001": " ",
		"猫粮 👩‍👩‍👧 🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f ❤️": "猫粮 👩‍👩‍👧 🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f ❤️",
	} {
		assert.Equal(t, shown, Printable(text), "%q", text)
	}
}

func TestABackupIsACopyThatCanBeOpened(t *testing.T) {
	d := openDesk(t, "harbour")
	order := d.paid(0, "harbour", time.Minute)
	file := filepath.Join(t.TempDir(), "copy.db")
	body := func(file, name string) string {
		text, err := json.Marshal(BackupRequest{file, name})
		require.NoError(t, err)
		return string(text)
	}
	status, text := d.ask((*Office).Backup, "/backup", body(file, ""))
	require.Equal(t, http.StatusOK, status, text)
	var made BackupAnswer
	require.NoError(t, json.Unmarshal([]byte(text), &made))
	info, err := os.Stat(file)
	require.NoError(t, err)
	assert.Equal(t, BackupAnswer{file, info.Size()}, made)
	restored := &desk{Office: openOffice(t, file), t: t}
	restored.Now = d.Now
	all, _ := restored.listed("")
	assert.Equal(t, []string{order}, all)

	two := openDesk(t, "harbour", "other")
	for _, test := range []struct {
		d          *desk
		file, name string
		status     int
		want       string
	}{
		{d, file, "", 409, "already exists: name another file"},
		{d, "copy.db", "", 400, "file must be an absolute path"},
		{d, "", "", 400, "file must be an absolute path"},
		{d, filepath.Join(file, "below", "a-file"), "", 503, "the backup could not be made"},
		{d, file + "2", "peak", 404, `there is no shop called "peak"`},
		{two, file + "2", "", 409, "say which with the name of one of its shops"},
		{two, file + "3", "other", 200, file + "3"},
	} {
		status, text := test.d.ask((*Office).Backup, "/backup", body(test.file, test.name))
		assert.Equal(t, test.status, status, text)
		assert.Contains(t, text, test.want)
	}
	d.Ledgers[0].Ledger = toolsOfItsOwn{d.Ledgers[0].Ledger}
	status, text = d.ask((*Office).Backup, "/backup", body(file+"4", ""))
	assert.Equal(t, http.StatusConflict, status)
	assert.Contains(t, text, "pg_dump")
}

// toolsOfItsOwn is a ledger whose engine has its own tools for backups.
type toolsOfItsOwn struct{ ledger.Ledger }

func (toolsOfItsOwn) Backup(context.Context, string) error {
	return fmt.Errorf("use its own: %w", errors.ErrUnsupported)
}

func TestOrphansOfAllLedgersAreListed(t *testing.T) {
	d := openDesk(t, "harbour", "other")
	for number, shop := range []string{"harbour", "other"} {
		d.update(number, func(tx *ledger.Tx) error {
			_, err := tx.AddOrphan(ledger.Orphan{Account: "a", Shop: shop, Syssn: shop + "-1", At: november.Add(time.Duration(number) * time.Hour), OutTradeNo: "NOT-OURS", Amount: 12800, Currency: "HKD"})
			return err
		})
	}
	_, text := d.ask((*Office).ListOrphans, "/orphans", "")
	var page struct{ Orphans []map[string]any }
	require.NoError(t, json.Unmarshal([]byte(text), &page))
	require.Len(t, page.Orphans, 2)
	assert.Equal(t, "other", page.Orphans[0]["name"], "the newest first")
	assert.Equal(t, "128.00", page.Orphans[1]["display_amount"])
}
