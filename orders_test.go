package qfpayjsapi_test

import (
	"encoding/base64"
	"encoding/csv"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

// basicAuth lets the owner of the tests in, and nobody else.
const basicAuth = `basic_auth {
		owner $2a$04$.PCrZl2pbTkUfT2d.MKAmO2B/.raqA2TWjohmKVZcOas/ZkmecrQy
	}`

// withOrders is a shop with an orders page at /orders.
func withOrders(s *shop, _ *qfpaytest.Config) {
	s.site += "handle /orders {\n" + basicAuth + "\nqfpay_orders\n}\n"
}

// owner is a browser in which the owner has logged in.
func (s *shop) owner() *payer {
	owner := s.payer(desktop)
	owner.header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte("owner:only-for-the-tests")))
	return owner
}

// press sends the form of a page that does something.
func (p *payer) press(page reply, do string) reply {
	p.t.Helper()
	return p.post("/orders"+formAction(p.t, page), formValues(p.t, page, do))
}

func formAction(t testing.TB, page reply) string {
	t.Helper()
	found := regexp.MustCompile(`<form method="post" action="([^"]*)"`).FindStringSubmatch(page.body)
	require.NotNil(t, found, page.body)
	return html.UnescapeString(found[1])
}

// formValues are the hidden inputs of the form that does something.
func formValues(t testing.TB, page reply, do string) url.Values {
	t.Helper()
	_, form, found := strings.Cut(page.body, `name="do" value="`+do+`"`)
	require.True(t, found, page.body)
	form, _, _ = strings.Cut(form, "</form>")
	values := url.Values{"do": {do}}
	for _, input := range regexp.MustCompile(`name="([^"]+)" value="([^"]*)"`).FindAllStringSubmatch(form, -1) {
		values.Set(input[1], html.UnescapeString(input[2]))
	}
	return values
}

// follow does what a browser does after a post.
func (p *payer) follow(after reply) reply {
	p.t.Helper()
	require.Equal(p.t, http.StatusSeeOther, after.status, after.body)
	return p.get("/orders" + after.location)
}

// question is the page that asks whether to do something to an order, by the form of
// its page: refund with an amount, or close.
func (p *payer) question(order, name, value string) reply {
	p.t.Helper()
	return p.questionAt("/orders", order, name, value)
}

func (p *payer) questionAt(address, order, name, value string) reply {
	p.t.Helper()
	was := regexp.MustCompile(`name="was" value="([^"]+)"`).FindStringSubmatch(p.get(address + "?order=" + order).body)
	require.NotNil(p.t, was)
	return p.get(address + "?" + url.Values{"order": {order}, "was": {was[1]}, name: {value}}.Encode())
}

// shownOrders are the orders that a list shows.
func shownOrders(page reply) (orders []string) {
	for _, row := range regexp.MustCompile(`<td role="cell" class="what"><a href="\?order=([0-9A-Z]{26})"`).FindAllStringSubmatch(page.body, -1) {
		orders = append(orders, row[1])
	}
	return orders
}

func TestTheOwnerSeesOrdersAndTheirSums(t *testing.T) {
	shop := openShop(t, withOrders)
	first := shop.sold("&ref=INV-7")
	second := shop.sold("")
	_, unpaid := shop.payer(wechat).prepare("/pay/dog-treats")
	shop.office("POST", "/qfpay_jsapi/orders/"+second+"/refund", `{"refund_id":"r1","amount":5600}`)
	owner := shop.owner()

	page := owner.get("/orders?status=")
	require.Equal(t, http.StatusOK, page.status, page.body)
	assert.Equal(t, []string{unpaid, second, first}, shownOrders(page), "the newest first")
	for _, part := range []string{
		"<dt>Net</dt><dd>HK$456.00</dd>", "<dt>Gross</dt><dd>HK$512.00</dd>", "<dt>Refunded</dt><dd>HK$56.00</dd>", "<dt>Paid orders</dt><dd>2 of 3</dd>",
		"Orders found: 3", `<span class="status partially_refunded">Partially refunded</span>`, `−HK$56.00`, `INV-7`,
		`aria-current="page">Today</a>`,
	} {
		assert.Contains(t, page.body, part)
	}
	assert.Equal(t, "no-store", page.header.Get("Cache-Control"))
	assert.Regexp(t, `^default-src 'none'; style-src 'sha256-[^']+'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'$`,
		page.header.Get("Content-Security-Policy"))
	assert.NotContains(t, page.body, "<script")

	assert.Equal(t, []string{second, first}, shownOrders(owner.get("/orders?status=paid,partially_refunded,refunded")))
	assert.Equal(t, []string{unpaid}, shownOrders(owner.get("/orders?status=pending")))
	assert.Equal(t, []string{first}, shownOrders(owner.get("/orders?q=inv-7")))
	assert.Empty(t, shownOrders(owner.get("/orders?day=2020-01-01")))
	assert.Contains(t, owner.get("/orders?day=2020-01-01").body, "No orders found.")
	month := owner.get("/orders?from=2020-01-01&to=2020-02-01")
	assert.Equal(t, http.StatusOK, month.status)
	assert.NotContains(t, month.body, "<svg")

	owner.header.Set("Accept-Language", "zh-HK")
	assert.Contains(t, owner.get("/orders?status=").body, "<dt>淨額</dt>")
	owner.header.Set("Accept-Language", "zh-CN")
	assert.Contains(t, owner.get("/orders?status=").body, "<dt>净额</dt>")
}

func TestAPeriodHasAChartOfEachDayOrMonth(t *testing.T) {
	shop := openShop(t, withOrders)
	shop.sold("")
	owner := shop.owner()
	assert.NotContains(t, owner.get("/orders?status=").body, "<svg", "a day makes no chart")
	today := regexp.MustCompile(`name="to" type="date" value="([^"]+)"`).FindStringSubmatch(owner.get("/orders?status=").body)[1]
	days := owner.get("/orders?from=" + today[:8] + "01&to=" + today[:8] + "28").body
	if today[8:] <= "28" {
		assert.Contains(t, days, "Gross per day, HKD")
		assert.Contains(t, days, "<title>"+today+": HK$256.00</title>")
		assert.Equal(t, 28, strings.Count(days, `<tr><th scope="row">`))
	}
	months := owner.get("/orders?from=2020-01-01&to=" + today).body
	assert.Contains(t, months, "Gross per month, HKD")
	assert.Contains(t, months, "<title>"+today[:7]+": HK$256.00</title>")
}

func TestLongListsGoOnOnAnotherPage(t *testing.T) {
	shop := openShop(t, withOrders)
	for range 53 {
		shop.payer(wechat).prepare("/pay/dog-treats")
	}
	owner := shop.owner()
	first := owner.get("/orders?status=pending")
	assert.Len(t, shownOrders(first), 50)
	older := regexp.MustCompile(`href="([^"]+)" rel="next"`).FindStringSubmatch(first.body)
	require.NotNil(t, older)
	second := owner.get("/orders" + html.UnescapeString(older[1]))
	assert.Len(t, shownOrders(second), 3)
	assert.NotContains(t, second.body, `rel="next"`)
	assert.Contains(t, second.body, "Orders found: 53", "sums are those of the whole search")
	assert.Contains(t, second.body, `href="?status=pending">Newest</a>`)
}

func TestAnOrdersPageShowsEverythingAndNoListTheFields(t *testing.T) {
	shop := openShop(t, withOrders, withBlock("field name required\nfield dog_size"))
	payer := shop.payer(wechat)
	posted := payer.post("/pay?item=cat-food:2&item=dog-treats&ref=R-1", url.Values{"name": {"sentinel-name 陈 <b>"}, "dog_size": {"two\nlines", "L"}})
	require.Equal(t, http.StatusSeeOther, posted.status, posted.body)
	callback := payer.oauth(posted.location)
	require.Equal(t, http.StatusFound, payer.get(callback).status)
	order := orderOf(t, callback)
	require.NoError(t, shop.gateway.Pay(order))
	payer.get("/pay/return/" + order)

	page := shop.owner().get("/orders?order=" + order)
	require.Equal(t, http.StatusOK, page.status)
	for _, part := range []string{
		"<bdi>Name</bdi></dt><dd><bdi>sentinel-name 陈 &lt;b&gt;</bdi>", "<bdi>dog_size</bdi></dt><dd><bdi>two\nlines\nL</bdi>",
		"<bdi>Cat food 猫粮</bdi> × 2</dt><dd>HK$256.00</dd>", "<bdi>dog-treats</bdi></dt><dd>HK$46.50</dd>", "<bdi>R-1</bdi>",
		"WeChat confirmed the payer", "The gateway accepted the order", "<strong>Paid</strong>", "Amount to refund in HKD, at most 302.50",
	} {
		assert.Contains(t, page.body, part)
	}
	for _, secret := range []string{clientKey, "pay_url", "/q/direct"} {
		assert.NotContains(t, page.body, secret)
	}
	_, detail := shop.officeText("GET", "/qfpay_jsapi/orders/"+order, "")
	assert.Contains(t, detail, `"fields":{"dog_size":["two\nlines","L"],"name":"sentinel-name 陈 \u003cb\u003e"}`)
	_, listed := shop.officeText("GET", "/qfpay_jsapi/orders", "")
	_, exported := shop.officeText("GET", "/qfpay_jsapi/export", "")
	assert.NotContains(t, listed+exported+shop.owner().get("/orders?status=").body+shop.caddy("", "orders").out, "sentinel-name")
	assert.Contains(t, shop.caddy("", "show", order).out, "sentinel-name 陈 <b>")
	fields := shop.caddy("", "export", "--fields").out
	assert.Contains(t, fields, ",field.name,field.dog_size,other_fields\n")
	assert.Contains(t, fields, ",sentinel-name 陈 <b>,two lines; L,\n")
	for line := range strings.Lines(shop.log()) {
		if !strings.Contains(line, `"logger":"events"`) {
			assert.NotContains(t, line, "sentinel-name")
		}
	}
}

func TestTheOwnerRefundsInTwoParts(t *testing.T) {
	told := make(chan string, 16)
	program := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		told <- string(text)
	}))
	defer program.Close()
	shop := openShop(t, withOrders, withBlock("webhook "+program.URL+" whsec_"+base64.StdEncoding.EncodeToString([]byte("no-secret-but-a-test-of-this"))))
	order := shop.sold("")
	owner := shop.owner()
	for typed, status := range map[string]int{"256.01": 409, "0": 400, "1.005": 400, "-1": 400, "1e2": 400, "": 400, "1,000": 400} {
		wrong := owner.question(order, "refund", typed)
		assert.Equal(t, status, wrong.status, typed)
		assert.Contains(t, wrong.body, `aria-invalid="true"`, typed)
	}
	question := owner.question(order, "refund", "56")
	require.Equal(t, http.StatusOK, question.status, question.body)
	assert.Contains(t, question.body, "Refund HK$56.00 of HK$256.00?")
	assert.Contains(t, question.body, "Refund HK$56.00</button>")
	assert.Contains(t, question.body, "<dt>Net after this refund</dt><dd>HK$200.00</dd>")
	assert.Zero(t, shop.gateway.Calls("refund"), "a question is no refund")

	done := owner.follow(owner.press(question, "refund"))
	assert.Contains(t, done.body, "The refund is done.")
	assert.Contains(t, done.body, "<bdi>page-1</bdi>")
	assert.Contains(t, done.body, "at most 200.00")
	trade, _ := shop.gateway.Trade(order)
	assert.EqualValues(t, 5600, trade.Refunded)
	assert.Contains(t, owner.follow(owner.press(question, "refund")).body, "The refund is done.")
	assert.Equal(t, 1, shop.gateway.Calls("refund"), "the same form again is the same refund")

	rest := owner.follow(owner.press(owner.question(order, "refund", "200.00"), "refund"))
	assert.Contains(t, rest.body, `<span class="status refunded">Refunded</span>`)
	assert.NotContains(t, rest.body, "at most", "nothing is left to refund")
	trade, _ = shop.gateway.Trade(order)
	assert.EqualValues(t, 25600, trade.Refunded)
	assert.Equal(t, 2, shop.gateway.Calls("refund"))
	events := ""
	shop.eventually("the webhook is told of the payment and both refunds", func() bool {
		select {
		case event := <-told:
			events += event
		default:
		}
		return strings.Count(events, `"type":"order.refunded"`) == 2
	})
	assert.Contains(t, events, `"amount":5600,"refund_id":"page-1"`)
	assert.Contains(t, events, `"amount":20000,"refund_id":"page-2"`)
	_, detail := shop.office("GET", "/qfpay_jsapi/orders/"+order, "")
	assert.EqualValues(t, 25600, detail["refunded"])
	assert.Contains(t, shop.log(), `"msg":"asked for on the orders page"`)
	assert.Contains(t, shop.log(), `"user":"owner"`)
}

func TestTheSameRefundConfirmedTwiceAtOnceIsMadeOnce(t *testing.T) {
	shop := openShop(t, withOrders)
	order := shop.sold("")
	owner := shop.owner()
	question := owner.question(order, "refund", "100")
	again := owner.question(order, "refund", "100")
	other := owner.question(order, "refund", "50")
	var all sync.WaitGroup
	for i := range 6 {
		all.Go(func() { owner.press([]reply{question, again}[i%2], "refund") })
	}
	all.Wait()
	assert.Equal(t, 1, shop.gateway.Calls("refund"))
	refused := owner.press(other, "refund")
	assert.Equal(t, http.StatusConflict, refused.status, "what was asked before the first refund is not a second one")
	assert.Contains(t, refused.body, "The order has changed since you loaded the page")
	assert.Contains(t, refused.body, "at most 156.00")
	trade, _ := shop.gateway.Trade(order)
	assert.EqualValues(t, 10000, trade.Refunded)
}

func TestARefundThatTheGatewayRefusesIsSaid(t *testing.T) {
	shop := openShop(t, withOrders)
	order := shop.sold("")
	owner := shop.owner()
	shop.gateway.Inject(qfpaytest.Fault{Call: "refund", Kind: qfpaytest.Respcd, Respcd: "1265"})
	refused := owner.follow(owner.press(owner.question(order, "refund", "1"), "refund"))
	assert.Contains(t, refused.body, "The refund was refused")
	assert.Contains(t, refused.body, "1265")
	assert.Contains(t, owner.follow(owner.press(owner.question(order, "refund", "1"), "refund")).body, "The refund is done.", "and can be asked for again")
}

func TestTheOwnerAsksAndCloses(t *testing.T) {
	shop := openShop(t, withOrders)
	_, order := shop.payer(wechat).prepare("/pay/cat-food")
	_, other := shop.payer(wechat).prepare("/pay/dog-treats")
	require.NoError(t, shop.gateway.Pay(order))
	shop.letEnquiriesBeDue()
	owner := shop.owner()
	page := owner.get("/orders?order=" + order)
	assert.Contains(t, page.body, "Close this order")
	asked := owner.follow(owner.press(page, "query"))
	assert.Contains(t, asked.body, "This is how the order stands after asking the gateway.")
	assert.Contains(t, asked.body, `<span class="status paid">Paid</span>`)
	assert.NotContains(t, asked.body, "Close this order")

	question := owner.question(other, "close", "1")
	assert.Contains(t, owner.follow(owner.press(question, "close")).body, "The order is closed.")
	assert.Contains(t, owner.follow(owner.press(question, "close")).body, "The order is closed.", "a second click")
	assert.NotContains(t, owner.question(order, "close", "1").body, `value="close"`, "of one that is paid")
}

func TestForgedAndForeignFormsDoNothing(t *testing.T) {
	shop := openShop(t, withOrders)
	order, second := shop.sold(""), shop.sold("")
	owner := shop.owner()
	question := owner.question(order, "refund", "100")
	form := formValues(t, question, "refund")
	changed := func(name, value string) url.Values {
		values := url.Values{}
		for key := range form {
			values.Set(key, form.Get(key))
		}
		values.Set(name, value)
		return values
	}
	for name, post := range map[string]func() reply{
		"without the token":  func() reply { return owner.post("/orders?order="+order, changed("token", "")) },
		"another amount":     func() reply { return owner.post("/orders?order="+order, changed("amount", "20000")) },
		"another refund":     func() reply { return owner.post("/orders?order="+order, changed("refund_id", "page-2")) },
		"another action":     func() reply { return owner.post("/orders?order="+order, changed("do", "close")) },
		"another order":      func() reply { return owner.post("/orders?order="+second, form) },
		"without the cookie": func() reply { return shop.owner().post("/orders?order="+order, form) },
		"with another session": func() reply {
			other := shop.owner()
			other.get("/orders?order=" + order)
			return other.post("/orders?order="+order, form)
		},
		"from another site": func() reply {
			owner.header.Set("Sec-Fetch-Site", "cross-site")
			defer owner.header.Del("Sec-Fetch-Site")
			return owner.press(question, "refund")
		},
		"from another origin": func() reply {
			owner.header.Set("Origin", "https://evil.example")
			defer owner.header.Del("Origin")
			return owner.press(question, "refund")
		},
	} {
		reply := post()
		assert.Equal(t, http.StatusForbidden, reply.status, name)
		assert.Contains(t, reply.body, "Nothing was done", name)
	}
	assert.Equal(t, http.StatusUnsupportedMediaType, owner.do("POST", "/orders?order="+order, "text/plain", strings.NewReader(form.Encode())).status)
	assert.Equal(t, http.StatusUnsupportedMediaType, owner.post("/orders?order="+order, url.Values{"x": {strings.Repeat("x", 17<<10)}}).status)
	assert.Equal(t, http.StatusUnauthorized, shop.payer(desktop).post("/orders?order="+order, form).status)
	assert.Zero(t, shop.gateway.Calls("refund"))
	for _, cookie := range question.cookies {
		assert.True(t, cookie.HttpOnly)
		assert.Equal(t, http.SameSiteLaxMode, cookie.SameSite)
	}
	assert.Equal(t, http.StatusSeeOther, owner.press(question, "refund").status, "the form itself does")
}

func TestThePageSaysWhatIsWrong(t *testing.T) {
	shop := openShop(t, withOrders)
	owner := shop.owner()
	for query, status := range map[string]int{
		"?order=01M821FMT07W1N4ZJ6X0Q3V5YB":          404,
		"?order=../x":                                404,
		"?order=01M821FMT07W1N4ZJ6X0Q3V5YB&refund=1": 404,
		"?order=01M821FMT07W1N4ZJ6X0Q3V5YB&close=1":  404,
		"?day=yesterday":                             400,
		"?from=2026-11-02&to=2026-11-01":             400,
		"?status=lost":                               400,
		"?name=other":                                400,
		"?status=lost&format=csv":                    400,
	} {
		page := owner.get("/orders" + query)
		assert.Equal(t, status, page.status, query)
		assert.Contains(t, page.body, "To do</a>", query)
	}
	deleted := owner.do(http.MethodDelete, "/orders", "", nil)
	assert.Equal(t, http.StatusMethodNotAllowed, deleted.status)
	assert.Equal(t, "GET, HEAD, POST", deleted.header.Get("Allow"))
	head := owner.do(http.MethodHead, "/orders", "", nil)
	assert.Equal(t, http.StatusOK, head.status)
	assert.Empty(t, head.body)
}

func TestHostileTextStaysTextOnTheOwnersPages(t *testing.T) {
	const hostile = `"><script>alert(1)</script><img src=x onerror=alert(1)>`
	shop := openShop(t, withOrders, withBlock("field note"))
	payer := shop.payer(wechat)
	posted := payer.post("/pay/cat-food?ref="+url.QueryEscape(hostile), url.Values{"note": {hostile}})
	callback := payer.oauth(posted.location)
	require.Equal(t, http.StatusFound, payer.get(callback).status)
	owner := shop.owner()
	for _, address := range []string{
		"/orders", "/orders?q=" + url.QueryEscape(hostile), "/orders?q=script", "/orders?day=" + url.QueryEscape(hostile), "/orders?name=" + url.QueryEscape(hostile),
		"/orders?order=" + orderOf(t, callback), "/orders?order=" + orderOf(t, callback) + "&refund=" + url.QueryEscape(hostile),
		"/orders?order=" + url.QueryEscape(hostile) + "&done=" + url.QueryEscape(hostile), "/orders?before=" + url.QueryEscape(hostile),
	} {
		page := owner.get(address)
		assert.NotContains(t, page.body, "<script", address)
		assert.NotContains(t, page.body, "<img", address)
	}
}

func TestTheCSVHoldsNoFormulas(t *testing.T) {
	shop := openShop(t, withOrders)
	hostile := shop.sold("&ref=" + url.QueryEscape(`=HYPERLINK("http://evil.example","x"),"`))
	wide := shop.sold("&ref=" + url.QueryEscape("＝1+1"))
	owner := shop.owner()
	page := owner.get("/orders?status=")
	link := regexp.MustCompile(`<a href="([^"]+)" download>`).FindStringSubmatch(page.body)
	require.NotNil(t, link)
	file := owner.get("/orders" + html.UnescapeString(link[1]))
	assert.Equal(t, http.StatusOK, file.status)
	assert.Equal(t, "text/csv; charset=utf-8", file.header.Get("Content-Type"))
	assert.Regexp(t, `^attachment; filename="orders-[0-9-]+\.csv"$`, file.header.Get("Content-Disposition"))
	assert.Equal(t, "no-store", file.header.Get("Cache-Control"))
	text, marked := strings.CutPrefix(file.body, "\ufeff")
	assert.True(t, marked, "spreadsheets are told that it is UTF-8")
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 3)
	assert.Equal(t, "order", rows[0][0])
	assert.Equal(t, hostile, rows[1][0], "the oldest first")
	assert.Equal(t, "256.00", rows[1][slices.Index(rows[0], "amount")])
	assert.Equal(t, `'=HYPERLINK("http://evil.example","x"),"`, rows[1][slices.Index(rows[0], "ref")])
	assert.Equal(t, wide, rows[2][0])
	assert.Equal(t, "'＝1+1", rows[2][slices.Index(rows[0], "ref")])
	assert.Equal(t, file.body, shop.caddy("", "export").out, "the command writes the same")
	assert.Len(t, strings.Split(strings.TrimSpace(owner.get("/orders?format=csv&q="+hostile).body), "\n"), 2, "the search holds for it, too")
}

func TestAnOrdersPageWithoutAuthenticationIsNotLoaded(t *testing.T) {
	authority := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Cookie") != "known=yes" {
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	defer authority.Close()
	forwardAuth := "forward_auth " + strings.TrimPrefix(authority.URL, "http://") + " {\nuri /check\n}"
	shop := openShop(t)
	for name, test := range map[string]struct {
		site string
		want string
	}{
		"alone":                              {"qfpay_orders /orders", "put basic_auth or forward_auth in front of it"},
		"in a block":                         {"handle /orders {\nqfpay_orders\n}", "put basic_auth or forward_auth in front of it"},
		"with one behind":                    {"route /orders {\nqfpay_orders\n" + basicAuth + "\n}", "put basic_auth or forward_auth in front of it"},
		"with one in a block beside":         {"handle /x {\n" + basicAuth + "\n}\nhandle /orders {\nqfpay_orders\n}", "put basic_auth or forward_auth in front of it"},
		"with a proxy that asks nobody":      {"route /orders {\nreverse_proxy /y localhost:1\nqfpay_orders\n}", "put basic_auth or forward_auth in front of it"},
		"behind basic_auth":                  {"handle /orders {\n" + basicAuth + "\nqfpay_orders\n}", ""},
		"behind basic_auth of the site":      {"qfpay_orders /orders\n" + basicAuth, ""},
		"behind basic_auth of the same path": {"qfpay_orders /orders\n" + strings.Replace(basicAuth, "basic_auth", "basic_auth /orders", 1), ""},
		"behind basic_auth around it":        {"route /orders {\n" + basicAuth + "\nhandle {\nroute {\nqfpay_orders\n}\n}\n}", ""},
		"behind one in a snippet's route":    {"route /orders {\nroute {\n" + basicAuth + "\n}\nqfpay_orders\n}", ""},
		"behind forward_auth":                {"handle /orders {\n" + forwardAuth + "\nqfpay_orders\n}", ""},
		"told otherwise":                     {"qfpay_orders /orders {\ninsecure_without_auth\n}", ""},
		"of a shop that there is":            {"qfpay_orders /orders {\nname harbour\ninsecure_without_auth\n}", ""},
		"of a shop that there is not":        {"qfpay_orders /orders {\nname other\ninsecure_without_auth\n}", `there is no shop called "other"`},
		"of an unset placeholder":            {"qfpay_orders /orders {\nname {env.TEST_QFPAY_UNSET}\ninsecure_without_auth\n}", "qfpay_orders: name"},
	} {
		shop.block, shop.site = "name harbour", test.site
		err := shop.tryToLoad()
		if test.want == "" {
			assert.NoError(t, err, name)
			continue
		}
		assert.ErrorContains(t, err, test.want, name)
	}
	shop.without, shop.site = true, "qfpay_orders /orders {\ninsecure_without_auth\n}"
	assert.ErrorContains(t, shop.tryToLoad(), "this configuration has no qfpay_jsapi directive")
}

func TestOnlyAuthenticatedRequestsSeeTheOrdersPage(t *testing.T) {
	authority := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Known") != "yes" {
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	defer authority.Close()
	shop := openShop(t, withSite(`handle /orders {
		`+basicAuth+`
		qfpay_orders
	}
	handle_path /stripped/* {
		`+basicAuth+`
		qfpay_orders
	}
	route /elsewhere {
		`+strings.Replace(basicAuth, "basic_auth", "basic_auth /x", 1)+`
		qfpay_orders
	}
	handle /forwarded {
		forward_auth `+strings.TrimPrefix(authority.URL, "http://")+` {
			uri /check
		}
		qfpay_orders
	}
	handle /open {
		qfpay_orders {
			insecure_without_auth
		}
	}`))
	order := shop.sold("")
	stranger, owner := shop.payer(desktop), shop.owner()
	stranger.header.Set("Remote-User", "owner")
	stranger.header.Set("X-Forwarded-User", "owner")
	assert.Equal(t, http.StatusUnauthorized, stranger.get("/orders").status)
	assert.Equal(t, []string{order}, shownOrders(owner.get("/orders?status=")))
	assert.Equal(t, []string{order}, shownOrders(owner.get("/stripped/?status=")))
	assert.Equal(t, []string{order}, shownOrders(stranger.get("/open?status=")))
	for _, who := range []*payer{stranger, owner} {
		page := who.get("/elsewhere")
		assert.Equal(t, http.StatusForbidden, page.status, "its basic_auth is for other addresses")
		assert.Contains(t, page.body, "This page is not protected")
		assert.NotContains(t, page.body, order)
	}
	assert.Contains(t, shop.log(), "reached the orders page without passing basic_auth or forward_auth")
	assert.Equal(t, http.StatusUnauthorized, stranger.get("/forwarded").status)
	stranger.header.Set("X-Known", "yes")
	assert.Equal(t, []string{order}, shownOrders(stranger.get("/forwarded?status=")))

	question := owner.questionAt("/stripped/", order, "refund", "1")
	done := owner.post("/stripped/"+formAction(t, question), formValues(t, question, "refund"))
	require.Equal(t, http.StatusSeeOther, done.status, done.body)
	assert.Contains(t, owner.get("/stripped/"+done.location).body, "The refund is done.", "wherever the page is")
}

func TestAPageOfOneShopShowsNoOther(t *testing.T) {
	shop := openShop(t, withBlock("name harbour"))
	other := strings.NewReplacer("qfpay_jsapi {", "qfpay_jsapi {\npath /other", "name harbour", "name other", "Harbour Pets", "Others").Replace(shop.directive())
	shop.site = other + `
	handle /orders {
		` + basicAuth + `
		qfpay_orders {
			name other
		}
	}
	handle /all {
		` + basicAuth + `
		qfpay_orders
	}`
	shop.load()
	order := shop.sold("")
	payer := shop.payer(wechat)
	_, theirs := payer.prepare("/other/cat-food")
	owner := shop.owner()
	assert.Equal(t, []string{theirs}, shownOrders(owner.get("/orders?status=")))
	assert.Equal(t, []string{theirs}, shownOrders(owner.get("/orders?name=harbour&status=")))
	assert.Equal(t, http.StatusNotFound, owner.get("/orders?order="+order).status)
	assert.Equal(t, http.StatusNotFound, owner.get("/orders?refund=1&was=x&order="+order).status)
	assert.Equal(t, []string{theirs, order}, shownOrders(owner.get("/all?status=")))
	assert.Equal(t, []string{order}, shownOrders(owner.get("/all?name=harbour&status=")))
}

func TestFormsOutliveAReload(t *testing.T) {
	shop := openShop(t, withOrders)
	order := shop.sold("")
	owner := shop.owner()
	question := owner.question(order, "refund", "1")
	shop.load()
	owner.get("/orders") // on a new connection
	assert.Contains(t, owner.follow(owner.press(question, "refund")).body, "The refund is done.")
}

// The adapter knows the directive without an order option.
func TestTheOrdersPageIsOrderedByItself(t *testing.T) {
	_, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(":8080 {\nqfpay_orders /orders\n}"), map[string]any{"filename": "Caddyfile"})
	assert.NoError(t, err)
}
