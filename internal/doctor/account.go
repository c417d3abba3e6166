package doctor

import (
	"context"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/remote"
)

// impossibleCode is none that WeChat gives.
const impossibleCode = "doctor"

// checkOfficialAccount offers WeChat a code that cannot exist. An account that it
// does not take, it refuses for another reason, if it looks at the account first;
// its documentation does not say that it does.
func (s Shop) checkOfficialAccount(ctx context.Context) Finding {
	if s.AppID == "" {
		return good("not configured: QFPay's own is used")
	}
	_, err := s.OpenID(ctx, impossibleCode)
	_, fault := remote.Ended(err)
	switch {
	case err == nil:
		return bad("Check that token_url is WeChat's.", "WeChat accepted a code that cannot exist")
	case fault == remote.FaultPayer:
		return good("WeChat knows %s, and refused only the code", s.AppID)
	default:
		return failing(err, "WeChat", "Look up this code in WeChat's documentation.",
			"Compare app id and secret with the official account's settings, and check its IP whitelist there.")
	}
}
