package main

import (
	"fmt"
	"net/http"
	"time"
)

// buyer buys at many shops, by several nodes in turn, with one connection to each.
type buyer struct {
	*payer
	nodes []*shop
	lines []*line
	turn  int
}

func newBuyer(nodes []*shop) *buyer {
	b := &buyer{payer: newPayer(nodes[0]), nodes: nodes}
	for _, node := range nodes {
		b.lines = append(b.lines, newLine(node.address))
	}
	return b
}

func (b *buyer) leave() {
	for _, line := range b.lines {
		line.close()
	}
	b.gateway.close()
}

// What is timed of a purchase.
const (
	payLinkStep = iota
	callbackStep
	notificationStep
	receiptStep
	scaleSteps
)

var stepNames = [scaleSteps]string{"pay link", "callback, with the gateway's time", "notification", "receipt"}

// purchase is one that was planned, with what became of it.
type purchase struct {
	shop   int
	silent bool // the gateway tells nobody, and the payer does not come back
	late   time.Duration
	steps  [scaleSteps]time.Duration
	order  string

	prepared, paid, told time.Time // the pay page was reached; paid at the gateway; the notification was answered
	err                  error
}

// buy makes a purchase. Each request goes to the next node.
func (b *buyer) buy(p *purchase) error {
	host := scaleHost(p.shop)
	b.shop = &shop{name: host, address: host, gateway: b.nodes[0].gateway}
	var oauth, payPage string
	err := b.step(p, payLinkStep, func() (err error) { oauth, err = b.start(); return err })
	if err != nil {
		return err
	}
	callback, err := b.authorize(oauth)
	if err != nil {
		return err
	}
	if err := b.step(p, callbackStep, func() (err error) { payPage, err = b.call(callback); return err }); err != nil {
		return err
	}
	p.prepared = time.Now()
	back, err := wayBack(payPage)
	if err != nil {
		return err
	}
	p.order = orderIn(back)
	notification, err := b.payAt(p)
	if err != nil || p.silent {
		return err
	}
	if err := b.step(p, notificationStep, func() error { return b.notify(notification) }); err != nil {
		return err
	}
	p.told = time.Now()
	return b.step(p, receiptStep, func() error { return b.seeReceipt(back) })
}

// step makes one request to the next node, which knows the shop by its host name.
func (b *buyer) step(p *purchase, which int, do func() error) error {
	b.turn++
	node := b.turn % len(b.nodes)
	b.till = b.lines[node]
	b.till.address = b.nodes[node].address
	if err := b.till.dial(); err != nil {
		return err
	}
	b.till.address = b.shop.address
	took, err := timed(do)
	p.steps[which] = took
	return err
}

// payAt presses Pay in the wallet, at the shop's account.
func (b *buyer) payAt(p *purchase) (notification []byte, err error) {
	got, err := b.gateway.post(fmt.Sprintf("/bench/pay?order=%s&app_code=%s", p.order, scaleAccount(p.shop)), "text/plain", "", "", nil)
	if err == nil && got.status != http.StatusOK {
		err = fmt.Errorf("a payment at %s could not be paid: %v", b.shop.name, got)
	}
	if err == nil {
		p.paid = time.Now()
	}
	return got.body, err
}
