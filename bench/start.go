package main

import (
	"fmt"
	"time"
)

// start measures the pay link up to the redirect to OAuth.
func (b *bench) start() (section, error) {
	const atOnce = 16
	s := section{title: "Starting a payment", about: fmt.Sprintf(`
The pay link, up to the redirect to the gateway's OAuth page, by %d payers at once, each new and without cookies. Caddy's own *redir* answers
with a fixed address; the plugin makes an order, seals it into a cookie and signs the address.
`, atOnce)}
	redir := fmt.Sprintf("redir /pay/* http://%s/tool/v1/get_weixin_oauth_code?app_code=%s&redirect_uri=http%%3A%%2F%%2Fexample.com%%2F&sign=0 302", b.gateway.address, appCode)
	var shops []*shop
	for _, name := range []string{"Caddy redir", "Caddy redir, second process"} {
		shop, err := b.openCaddy(name, b.stock, b.work, redir)
		if err != nil {
			return s, err
		}
		shops = append(shops, shop)
	}
	folder, err := b.folder(b.work)
	if err != nil {
		return s, err
	}
	plugin, err := b.openPlugin(folder)
	if err != nil {
		return s, err
	}
	least, err := b.openMinimal("minimal", "")
	if err != nil {
		return s, err
	}
	flasks, err := b.openFlasks()
	if err != nil {
		return s, err
	}
	shops = append(append(shops, plugin, least), flasks...)
	var contenders []*contender
	for _, shop := range shops {
		defer shop.stop()
		span := pick(b, 1500*time.Millisecond, 200*time.Millisecond)
		contenders = append(contenders, &contender{name: shop.name, turn: func() (figures, error) {
			return b.measured(shop, atOnce, span, func(p *payer) (time.Duration, error) {
				return timed(func() error { _, err := p.start(); return err })
			})
		}})
	}
	if err := alternate(pick(b, 5, 1), b.warmUps(), contenders); err != nil {
		return s, err
	}
	first, again, our := contenders[0].turns, contenders[1].turns, named(contenders, ours).turns
	s.claims = []claim{
		{what: fmt.Sprintf("start beside Caddy's redir: rate at %d at once", atOnce), target: 0.85,
			value: of(our, rate) / of(first, rate), floor: of(again, rate) / of(first, rate)},
	}
	if front := best(contenders, isFronted, rate); front != nil {
		s.claims = append(s.claims, claim{what: "start beside Caddy + Flask (" + front.name + "): rate", target: 10,
			value: of(our, rate) / of(front.turns, rate), floor: of(again, rate) / of(first, rate)})
	}
	s.tables = []table{rateTable(contenders, "starts")}
	s.charts = []chart{{name: "start", title: "Starts per second", note: "longer is better", bars: barsOf(contenders, rate, decimal)}}
	return s, nil
}
