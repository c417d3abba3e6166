package wechat

import (
	"errors"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/redact"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/remote"
)

// maxOpenID bounds an openid in bytes: WeChat Pay documents 128, real ones have 28.
const maxOpenID = 128

var errNoOpenID = errors.New("reply without a well-formed openid")

// reply is what WeChat says, with HTTP 200 whether it is good or bad. Its other
// members, such as the access token, are not looked at.
type reply struct {
	Errcode remote.Integer `json:"errcode"` // 0 where there is none
	Errmsg  remote.Text    `json:"errmsg"`
	OpenID  remote.Text    `json:"openid"`
}

// parseReply does not pass on the errors of encoding/json, which may quote what
// they could not read.
func parseReply(body []byte) (reply, error) {
	var r reply
	err := remote.Decode(body, &r)
	if err != nil && !errors.Is(err, remote.ErrScalar) && !errors.Is(err, remote.ErrInteger) {
		err = remote.ErrNotObject
	}
	return r, err
}

// readOpenID takes the openid out of a reply. An errcode other than 0 is a no,
// whatever else the reply holds.
func readOpenID(body []byte, hide redact.Redactor) (string, error) {
	r, err := parseReply(body)
	if err != nil {
		return "", garbage(err)
	}
	switch {
	case r.Errcode != 0:
		return "", refusal(int(r.Errcode), hide.And(string(r.OpenID)).Line(string(r.Errmsg)))
	case !visible(string(r.OpenID), maxOpenID):
		return "", garbage(errNoOpenID)
	}
	return string(r.OpenID), nil
}
