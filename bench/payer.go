package main

import (
	"crypto/md5"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"
)

// shop is a server that sells, or that plays one.
type shop struct {
	name      string
	address   string
	gateway   string     // address
	admin     string     // address of Caddy's admin API, where it is one
	processes []*process // all that work for it
}

// payLink starts the purchase at every shop.
const payLink = "/pay/cat-food"

func (s *shop) stop() {
	for _, p := range s.processes {
		p.stop()
	}
}

func (s *shop) cpu() (sum time.Duration, err error) {
	for _, p := range s.processes {
		used, err := p.cpu()
		if err != nil {
			return 0, err
		}
		sum += used
	}
	return sum, nil
}

// fails adds to an error what the shop's processes printed.
func (s *shop) fails(err error) error {
	for _, p := range s.processes {
		err = p.failure(err)
	}
	return err
}

// payer buys at one shop, with connections of their own to the shop and the
// gateway. Each purchase is made as somebody new, without cookies.
type payer struct {
	shop          *shop
	till, gateway *line
	cookies       map[string]string
}

func newPayer(s *shop) *payer {
	return &payer{shop: s, till: newLine(s.address), gateway: newLine(s.gateway), cookies: make(map[string]string)}
}

func (p *payer) leave() {
	p.till.close()
	p.gateway.close()
}

// start opens the pay link and returns where it leads: to the OAuth page.
func (p *payer) start() (oauth string, err error) {
	clear(p.cookies)
	return p.redirected(payLink, "/tool/v1/get_weixin_oauth_code?")
}

// authorize is vouched for by the gateway and returns the callback.
func (p *payer) authorize(oauth string) (callback string, err error) {
	got, err := p.gateway.get(pathOf(oauth), nil)
	if err != nil {
		return "", err
	}
	if got.status != http.StatusFound || !strings.HasPrefix(got.location, "http://"+p.shop.address+"/") {
		return "", fmt.Errorf("the OAuth page answered %s: %v", p.shop.name, got)
	}
	return got.location, nil
}

// call follows the callback and returns the pay page.
func (p *payer) call(callback string) (payPage string, err error) {
	return p.redirected(pathOf(callback), "/q/direct?")
}

// begin goes as far as the callback without following it.
func (p *payer) begin() (callback string, err error) {
	oauth, err := p.start()
	if err != nil {
		return "", err
	}
	return p.authorize(oauth)
}

// payAndReturn pays in the wallet, tells the shop as the gateway would, and goes
// back to it for the receipt.
func (p *payer) payAndReturn(payPage string) error {
	back, err := wayBack(payPage)
	if err != nil {
		return err
	}
	body, err := p.pay(orderIn(back))
	if err != nil {
		return err
	}
	if err := p.notify(body); err != nil {
		return err
	}
	return p.seeReceipt(back)
}

// wayBack is where a pay page leads back to.
func wayBack(payPage string) (*url.URL, error) {
	address, err := url.Parse(payPage)
	if err != nil {
		return nil, err
	}
	return url.Parse(address.Query().Get("redirect_url"))
}

// orderIn is the order in the address of a return page.
func orderIn(back *url.URL) string {
	if order := back.Query().Get("order"); order != "" {
		return order
	}
	return path.Base(back.Path)
}

// pay presses Pay in the wallet and returns what the gateway has to tell.
func (p *payer) pay(order string) (notification []byte, err error) {
	got, err := p.gateway.post("/bench/pay?order="+order, "text/plain", "", "", nil)
	if err == nil && got.status != http.StatusOK {
		err = fmt.Errorf("a payment at %s could not be paid: %v", p.shop.name, got)
	}
	return got.body, err
}

// notify tells the shop that it was paid.
func (p *payer) notify(notification []byte) error {
	signed := append(notification[:len(notification):len(notification)], clientKey...)
	got, err := p.till.post("/pay/notify", "application/json", "X-QF-SIGN", fmt.Sprintf("%X", md5.Sum(signed)), notification)
	if err == nil && string(got.body) != "SUCCESS" {
		err = fmt.Errorf("%s answered a notification with %v", p.shop.name, got)
	}
	return err
}

// receiptTitle is on the page that says that a payment was made.
const receiptTitle = "Payment received"

func (p *payer) seeReceipt(back *url.URL) error {
	got, err := p.till.get(back.RequestURI(), p.cookies)
	if err == nil && (got.status != http.StatusOK || !strings.Contains(string(got.body), receiptTitle)) {
		err = fmt.Errorf("%s gave no receipt for a payment that was made: %v", p.shop.name, got)
	}
	return err
}

// openPayPage looks at the pay page, which refuses what is not exactly as the
// gateway said.
func (p *payer) openPayPage(payPage string) error {
	got, err := p.gateway.get(pathOf(payPage), nil)
	if err == nil && got.status != http.StatusOK {
		err = fmt.Errorf("the pay page of %s answered %v", p.shop.name, got)
	}
	return err
}

// redirected asks the shop and returns where it sends the payer, which must be
// a page of the gateway.
func (p *payer) redirected(link, page string) (string, error) {
	got, err := p.till.get(link, p.cookies)
	if err != nil {
		return "", err
	}
	if got.status != http.StatusFound || !strings.HasPrefix(got.location, "http://"+p.shop.gateway+page) {
		return "", fmt.Errorf("%s answered %s with %v", p.shop.name, link, got)
	}
	for _, cookie := range got.cookies {
		pair, _, _ := strings.Cut(cookie, ";")
		name, value, _ := strings.Cut(pair, "=")
		p.cookies[name] = value
	}
	return got.location, nil
}

// pathOf is the path and query of an address.
func pathOf(address string) string {
	_, rest, _ := strings.Cut(address, "://")
	if slash := strings.IndexByte(rest, '/'); slash >= 0 {
		return rest[slash:]
	}
	return address
}
