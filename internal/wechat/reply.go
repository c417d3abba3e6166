package wechat

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/quote"
)

// maxOpenID bounds an openid in bytes: WeChat Pay documents 128, real ones have 28.
const maxOpenID = 128

// What can be wrong with a reply. The errors of encoding/json are not passed on,
// since they may quote what they could not read.
var (
	errNotObject = errors.New("reply is not a JSON object")
	errNotScalar = errors.New("a member of the reply is neither a string, nor a number, nor null")
	errNotNumber = errors.New("errcode is not a whole number")
	errNoOpenID  = errors.New("reply without a well-formed openid")
)

// reply is what WeChat says, with HTTP 200 whether it is good or bad. Its other
// members, such as the access token, are not looked at.
type reply struct {
	Errcode text `json:"errcode"`
	Errmsg  text `json:"errmsg"`
	OpenID  text `json:"openid"`
}

// text is a JSON string, a number as it is spelled, or null, which is empty.
type text string

func (t *text) UnmarshalJSON(raw []byte) error {
	switch c := raw[0]; {
	case c == '"':
		return json.Unmarshal(raw, (*string)(t))
	case c == '-' || '0' <= c && c <= '9':
		*t = text(raw)
	case string(raw) == "null":
		*t = ""
	default:
		return errNotScalar
	}
	return nil
}

func parseReply(body []byte) (reply, error) {
	var r reply
	if !bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("{")) {
		return r, errNotObject
	}
	err := json.Unmarshal(body, &r)
	if err != nil && !errors.Is(err, errNotScalar) {
		err = errNotObject
	}
	return r, err
}

// readOpenID takes the openid out of a reply. An errcode other than 0 is a no,
// whatever else the reply holds.
func readOpenID(body []byte, hide quote.Redactor) (string, error) {
	r, err := parseReply(body)
	if err != nil {
		return "", garbage(err)
	}
	errcode, err := r.errcode()
	switch {
	case err != nil:
		return "", garbage(err)
	case errcode != 0:
		return "", refusal(errcode, hide.And(string(r.OpenID)).Line(string(r.Errmsg)))
	case !visible(string(r.OpenID), maxOpenID):
		return "", garbage(errNoOpenID)
	}
	return string(r.OpenID), nil
}

// errcode is 0 where there is none.
func (r reply) errcode() (int, error) {
	if r.Errcode == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(string(r.Errcode), 10, 32)
	if err != nil || r.Errcode[0] == '+' {
		return 0, errNotNumber
	}
	return int(n), nil
}
