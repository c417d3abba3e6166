package qfpayjsapi

import (
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

func init() {
	httpcaddyfile.RegisterHandlerDirective("qfpay_orders", parseOrdersCaddyfile)
	httpcaddyfile.RegisterDirectiveOrder("qfpay_orders", httpcaddyfile.Before, "respond")
}

func parseOrdersCaddyfile(helper httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
	o := new(Orders)
	return o, o.UnmarshalCaddyfile(helper.Dispenser)
}

// UnmarshalCaddyfile implements caddyfile.Unmarshaler. Syntax:
//
//	qfpay_orders [<matcher>] {
//	    name <ledger>
//	    insecure_without_auth
//	}
//
// It belongs behind basic_auth or forward_auth:
//
//	handle /orders {
//	    basic_auth {
//	        owner <hash>
//	    }
//	    qfpay_orders
//	}
func (o *Orders) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the directive's name
	if d.NextArg() {
		return d.Errf("qfpay_orders: unexpected %q; a path before it must begin with /", d.Val())
	}
	for d.NextBlock(0) {
		switch subdirective := d.Val(); subdirective {
		case "name":
			if o.Name != "" {
				return d.Err("name is given twice")
			}
			if !d.AllArgs(&o.Name) || o.Name == "" {
				return d.Err("name needs the name of one ledger")
			}
		case "insecure_without_auth":
			if d.NextArg() {
				return d.Errf("insecure_without_auth: unexpected %q; it takes no value", d.Val())
			}
			o.InsecureWithoutAuth = true
		default:
			return d.Errf("unknown subdirective %q of qfpay_orders: it has name and insecure_without_auth", subdirective)
		}
		for nesting := d.Nesting(); d.NextBlock(nesting); {
			return d.Err("subdirectives of qfpay_orders take no block")
		}
	}
	return nil
}

// Interface guard
var _ caddyfile.Unmarshaler = (*Orders)(nil)
