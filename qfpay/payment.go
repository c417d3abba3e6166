package qfpay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/remote"
)

// PayTypeJSAPI is the pay_type of a WeChat JSAPI payment.
const PayTypeJSAPI = "800207"

// MaxGoodsName bounds goods_name in bytes. The documentation says 64 and gives
// no unit; counted in bytes it holds either way.
const MaxGoodsName = 64

// Payment is what the payer is asked to pay. The bounds are those of QFPay's
// documentation.
type Payment struct {
	// OutTradeNo is the shop's own number, unique over all its payments and
	// refunds: 1 to 128 printable ASCII characters without space and comma. Keep
	// to 32 letters and digits for WeChat. Required.
	OutTradeNo string

	// Amount is in minor units of Currency, from 1 to 99999999999. Amounts
	// under 200 may meet risk control.
	Amount int64

	// Currency is one of [Currencies]. Required.
	Currency string

	// Method is how the payer pays. Default: [MethodJSAPI]. The others lead the
	// browser to an address of the gateway's: see [Prepared.PayURL].
	Method Method

	// OpenID is the payer, as [Client.OpenID] returned it. Required for
	// MethodJSAPI; for the others it must be empty.
	OpenID string

	// ReturnURL is where the browser comes back afterwards, paid or not: an
	// absolute http or https URL of at most 512 characters for [MethodHosted] and
	// 255 for wallets. Optional; not for MethodJSAPI.
	ReturnURL string

	// Site and SiteName are the shop's site for phones, an absolute http or https
	// URL of at most 255 characters, and its name, which is cut to 128 bytes.
	// ClientIP is the payer's own IP address; a wrong one may meet risk control.
	// Required for [MethodWeChat], and for no other.
	Site, SiteName, ClientIP string

	// GoodsName is shown to the payer: UTF-8 of at most [MaxGoodsName] bytes
	// without control characters. The documentation advises against special
	// characters, and against more than 20.
	GoodsName string

	// Time is when the payment is made, in any zone: it is sent in [HongKong].
	// Required.
	Time time.Time

	// NotifyURL is where the gateway reports success: an absolute http or https
	// URL of at most 256 characters, 255 for wallets, on port 80 or 443.
	NotifyURL string

	// LimitPay restricts what may be paid with, such as credit cards.
	LimitPay string

	// RealName is who has to pay, for the real-name check of mainland payers, which
	// QFPay has to activate for the merchant first. Not for wallets. It is not
	// marshalled.
	RealName *RealName `json:"-"`

	// Params are further parameters, signed and sent as they are: udid, rmb_tag,
	// extend_info. They may not take the place of the parameters above, of which
	// RealName and Site are an extend_info, nor hold control characters, and
	// nothing in them is kept secret.
	Params map[string]string
}

// PayParams are what WeChat's JSAPI needs, signed by WeChat: pass them on
// unchanged. They cannot be had again, neither by a second call nor by an
// enquiry. They are marshalled under WeChat's own names, all as strings.
type PayParams struct {
	AppID     string `json:"appId"`
	TimeStamp string `json:"timeStamp"`
	NonceStr  string `json:"nonceStr"`
	Package   string `json:"package"`
	SignType  string `json:"signType"`
	PaySign   string `json:"paySign"`
}

// UnmarshalJSON takes strings, numbers and nulls.
func (p *PayParams) UnmarshalJSON(raw []byte) error {
	var reply payParams
	if err := json.Unmarshal(raw, &reply); err != nil {
		return err
	}
	*p = reply.params()
	return nil
}

// payParams are PayParams as the gateway writes them. Replies are read into these:
// reading them by [PayParams.UnmarshalJSON] would need a stack of twice the size.
type payParams struct {
	AppID     remote.Text `json:"appId"`
	TimeStamp remote.Text `json:"timeStamp"`
	NonceStr  remote.Text `json:"nonceStr"`
	Package   remote.Text `json:"package"`
	SignType  remote.Text `json:"signType"`
	PaySign   remote.Text `json:"paySign"`
}

func (p payParams) params() PayParams {
	return PayParams{
		AppID:     string(p.AppID),
		TimeStamp: string(p.TimeStamp),
		NonceStr:  string(p.NonceStr),
		Package:   string(p.Package),
		SignType:  string(p.SignType),
		PaySign:   string(p.PaySign),
	}
}

func (p PayParams) params() map[string]string {
	return map[string]string{
		"appId":     p.AppID,
		"timeStamp": p.TimeStamp,
		"nonceStr":  p.NonceStr,
		"package":   p.Package,
		"signType":  p.SignType,
		"paySign":   p.PaySign,
	}
}

// check names the first parameter, in byte order, that is missing.
func (p PayParams) check() error {
	params := p.params()
	for _, name := range slices.Sorted(maps.Keys(params)) {
		if params[name] == "" {
			return fmt.Errorf("%s is missing in pay_params", name)
		}
	}
	return nil
}

// Prepared is a payment that the payer can now make.
type Prepared struct {
	// Syssn is the gateway's number of the payment. It is empty if the reply had
	// none.
	Syssn string

	// SysTime is the gateway's clock; zero if the reply had none.
	SysTime time.Time

	// PayParams are complete for [MethodJSAPI]; other payments have none.
	PayParams PayParams

	// PayURL is where the payer makes any other payment: an absolute http or https
	// URL. That of [MethodWeChat] names the ReturnURL as its redirect_url, as
	// documented, and must not be opened inside WeChat.
	PayURL string
}

// Pay makes a payment that the payer can then confirm. No money moves yet.
//
// Errors are [*Error]. What is wrong with the Payment itself is [Refused] before
// anything is sent. After [Unknown] the payment may exist, and the same
// OutTradeNo would be refused as a duplicate: only [Client.Query] can tell. A
// reply that says yes but lacks the pay_params, or the pay_url, is [Unknown] too.
// No error holds the RealName, whatever the gateway says: of
// their causes, the wording alone is left then, except that an ended context is
// still found by [errors.Is].
func (c *Client) Pay(ctx context.Context, p Payment) (*Prepared, error) {
	if err := p.check(); err != nil {
		return nil, invalid(callPayment, err)
	}
	ready, err := c.pay(ctx, p)
	if err != nil {
		return nil, p.RealName.hiddenIn(err)
	}
	return ready, nil
}

func (c *Client) pay(ctx context.Context, p Payment) (*Prepared, error) {
	body, err := c.do(ctx, call{
		name:    callPayment,
		method:  http.MethodPost,
		path:    "/trade/v1/payment",
		params:  p.params(),
		secrets: append(p.RealName.secrets(), p.OpenID, p.ClientIP, p.clientIP()),
	})
	if err != nil {
		return nil, err
	}
	read := prepared
	if p.Method.redirects() {
		read = p.redirected
	}
	ready, err := read(body)
	if err != nil {
		return nil, garbage(callPayment, err)
	}
	return ready, nil
}

// receipt is common to the replies to all payments.
type receipt struct {
	Syssn  line   `json:"syssn"`
	Sysdtm moment `json:"sysdtm"`
}

func prepared(body []byte) (*Prepared, error) {
	var reply struct {
		receipt
		PayParams payParams `json:"pay_params"`
	}
	if err := decode(body, &reply); err != nil {
		return nil, err
	}
	params := reply.PayParams.params()
	if err := params.check(); err != nil {
		return nil, err
	}
	return &Prepared{Syssn: string(reply.Syssn), SysTime: time.Time(reply.Sysdtm), PayParams: params}, nil
}

func (p Payment) params() map[string]string {
	params := p.own()
	maps.Copy(params, p.Params)
	return params
}

// own are the parameters that Params may not replace.
func (p Payment) own() map[string]string {
	own := map[string]string{
		"txamt":        strconv.FormatInt(p.Amount, 10),
		"txcurrcd":     p.Currency,
		"pay_type":     p.Method.PayType(),
		"out_trade_no": p.OutTradeNo,
		"txdtm":        formatTime(p.Time),
		"sub_openid":   p.OpenID,
		"return_url":   p.ReturnURL,
		"goods_name":   p.GoodsName,
		"notify_url":   p.NotifyURL,
		"limit_pay":    p.LimitPay,
		"mchid":        "", // the client's
	}
	switch {
	case p.RealName != nil:
		own["extend_info"] = p.RealName.extendInfo()
	case p.Method == MethodWeChat:
		own["extend_info"] = p.scene()
	}
	return own
}

func (p Payment) check() error {
	if err := checkNumber("out_trade_no", p.OutTradeNo); err != nil {
		return err
	}
	if err := checkAmount(p.Amount); err != nil {
		return err
	}
	if _, ok := MinorUnits(p.Currency); !ok {
		return fmt.Errorf("txcurrcd must be one of %s", strings.Join(Currencies(), " "))
	}
	if err := p.checkMethod(); err != nil {
		return err
	}
	if p.Time.IsZero() {
		return errors.New("txdtm is missing")
	}
	if len(p.GoodsName) > MaxGoodsName {
		return fmt.Errorf("goods_name must be at most %d bytes", MaxGoodsName)
	}
	if err := checkText("goods_name", p.GoodsName); err != nil {
		return err
	}
	if err := checkText("limit_pay", p.LimitPay); err != nil {
		return err
	}
	if err := p.RealName.Check(); err != nil {
		return err
	}
	return p.checkParams()
}

func checkNumber(name, number string) error {
	isBad := func(r rune) bool { return remote.NotGraphic(r) || r == ',' }
	if number == "" || len(number) > 128 || strings.ContainsFunc(number, isBad) {
		return fmt.Errorf("%s must be 1 to 128 printable ASCII characters without space and comma", name)
	}
	return nil
}

func checkAmount(amount int64) error {
	if amount < 1 || amount > 99_999_999_999 {
		return errors.New("txamt must be from 1 to 99999999999 minor units")
	}
	return nil
}

func (p Payment) checkParams() error {
	own := p.own()
	for name, value := range p.Params {
		if _, taken := own[name]; taken {
			return fmt.Errorf("params must not replace %s", name)
		}
		if name == "" || strings.ContainsFunc(name, notNameable) {
			return errors.New("params must have names of letters, digits and underscores")
		}
		if err := checkText("params: "+name, value); err != nil {
			return err
		}
	}
	return nil
}

// notNameable keeps what would make a joined string ambiguous out of names.
func notNameable(r rune) bool {
	return r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
}
