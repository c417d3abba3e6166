package cluster

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const wechat = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Mobile Safari/537.36 XWEB/1260 MMWEBSDK/20240404 MicroMessenger/8.0.49 WeChat/arm64"

// payer is a WeChat browser that follows no redirect by itself.
type payer struct {
	cluster *cluster
	address string // on the internet
	browser *http.Client
}

func (c *cluster) payer() *payer {
	jar, err := cookiejar.New(nil)
	require.NoError(c.t, err)
	number := c.payers.Add(1)
	address := fmt.Sprintf("10.%d.%d.%d", number>>16, number>>8&0xff, number&0xff)
	return &payer{c, address, &http.Client{
		Jar:           jar,
		Timeout:       time.Minute,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// reply is what a browser got; status 0 is nothing at all.
type reply struct {
	status   int
	location string
	header   http.Header
	body     string
}

// anyNode leaves the choice of the node to the load balancer.
var anyNode *node

// get opens an address of the shop, or any other, at a node.
func (p *payer) get(at *node, address string) reply { return p.do(at, http.MethodGet, address, nil) }

func (p *payer) do(at *node, method, address string, form url.Values) reply {
	if strings.HasPrefix(address, "/") {
		address = p.cluster.front.server.URL + address
	}
	r, err := http.NewRequest(method, address, strings.NewReader(form.Encode()))
	if err != nil {
		return reply{body: err.Error()}
	}
	r.Header.Set("User-Agent", wechat)
	r.Header.Set(forwardedFor, p.address)
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if at != anyNode {
		r.Header.Set(wanted, at.name)
	}
	resp, err := p.browser.Do(r)
	if err != nil {
		return reply{body: err.Error()}
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return reply{body: err.Error()}
	}
	return reply{resp.StatusCode, resp.Header.Get("Location"), resp.Header, string(text)}
}

const catFood = "/pay/cat-food"

// start opens a pay link at a node and goes through the OAuth, up to the
// address to which WeChat sends the payer back.
func (p *payer) start(t testing.TB, at *node) (callback, order string) {
	t.Helper()
	return p.open(t, at, catFood)
}

// startAgain does what the page “being checked” offers.
func (p *payer) startAgain(t testing.TB, at *node, instead string) (callback, order string) {
	t.Helper()
	return p.open(t, at, againLink(instead))
}

func againLink(order string) string { return again(catFood, order) }

// again is a pay link, for another order than this one.
func again(link, order string) string {
	if strings.Contains(link, "?") {
		return link + "&again=" + order
	}
	return link + "?again=" + order
}

func (p *payer) open(t testing.TB, at *node, link string) (callback, order string) {
	t.Helper()
	start := p.get(at, link)
	require.Equal(t, http.StatusFound, start.status, start.body)
	back := p.get(anyNode, start.location)
	require.Equal(t, http.StatusFound, back.status, back.body)
	return back.location, orderIn(back.location)
}

// callBack opens a callback, and signs in again if that is asked for: the other
// node had used up the code, and took long to claim the order.
func (p *payer) callBack(at *node, callback string) reply {
	page := p.get(at, callback)
	if !page.isOAuth() {
		return page
	}
	return p.get(at, p.get(anyNode, page.location).location)
}

// prepare goes from a pay link to the pay page.
func (p *payer) prepare(t testing.TB, at *node) (order string) {
	t.Helper()
	callback, order := p.start(t, at)
	requirePayPage(t, p.get(at, callback))
	return order
}

// press presses a button of the pay page, and returns where the wallet sends
// the payer then.
func (p *payer) press(payPage, button string) reply {
	page, err := url.Parse(payPage)
	if err != nil {
		return reply{body: err.Error()}
	}
	query := page.Query()
	return p.do(anyNode, http.MethodPost, strings.TrimSuffix(payPage, "?"+page.RawQuery), url.Values{
		"action":       {button},
		"prepay_id":    {strings.TrimPrefix(query.Get("package"), "prepay_id=")},
		"redirect_url": {query.Get("redirect_url")},
	})
}

// status is what the shop's own pages are told of an order.
func (p *payer) status(at *node, order string) string {
	var told struct{ Status, Error string }
	answer := p.get(at, "/pay/status/"+order)
	if err := json.Unmarshal([]byte(answer.body), &told); err != nil {
		return answer.body
	}
	return told.Status + told.Error
}

func (r reply) isPayPage() bool {
	return r.status == http.StatusFound && strings.Contains(r.location, "/q/direct?")
}

func (r reply) isOAuth() bool {
	return r.status == http.StatusFound && strings.Contains(r.location, "/get_weixin_oauth_code?")
}

// isChecking recognizes the page that says that nobody knows yet, by its offer
// to start again with another order.
func (r reply) isChecking(order string) bool {
	return r.status == http.StatusOK && strings.Contains(r.body, againLink(order))
}

func requirePayPage(t testing.TB, r reply) {
	t.Helper()
	require.True(t, r.isPayPage(), "the pay page, not %d %s %s", r.status, r.location, r.body)
}

func requireChecking(t testing.TB, r reply, order string) {
	t.Helper()
	require.True(t, r.isChecking(order), "the page “being checked”, not %d %s %s", r.status, r.location, r.body)
}

// requireNotPayable wants the page “being checked”, or if the order has ended while
// the payer waited, the way to the page that says so.
func requireNotPayable(t testing.TB, r reply, order string) {
	t.Helper()
	require.True(t, r.isChecking(order) || r.location == "/pay/return/"+order, "a page without a way to pay, not %d %s %s", r.status, r.location, r.body)
}

var orderInPath = regexp.MustCompile(`/(?:callback|return)/([0-9A-Z]{26})`)

func orderIn(address string) string {
	if found := orderInPath.FindStringSubmatch(address); found != nil {
		return found[1]
	}
	return ""
}
