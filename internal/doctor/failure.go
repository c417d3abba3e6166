package doctor

import "github.com/caddy-qfpay/qfpay-jsapi/internal/remote"

// failing is what is found of a call to somebody that failed, with what to do
// about their code and about the shop's configuration.
func failing(err error, somebody, code, configuration string) Finding {
	switch _, fault := remote.Ended(err); fault {
	case 0: // no call was made
		return bad("", "%v", err)
	case remote.FaultShop:
		return bad(configuration, "%v", err)
	case remote.FaultSilent:
		return bad("Check that this machine can reach "+somebody+": name resolution, firewall, proxy.", "%v", err)
	case remote.FaultBusy:
		return warning("Try again in a minute.", "%v", err)
	default:
		return bad(code, "%v", err)
	}
}
