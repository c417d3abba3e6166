package qfpay

import (
	"errors"
	"fmt"
	"time"
)

// maxReturnURL bounds return_url in characters, as documented.
const maxReturnURL = 512

// checkForm checks what tells a hosted payment, the form of Canada, from the
// others.
func (p Payment) checkForm() error {
	switch {
	case p.Hosted && p.OpenID != "":
		return errors.New("sub_openid must be empty for a hosted payment")
	case !p.Hosted && p.OpenID == "":
		return errors.New("sub_openid is missing")
	case p.ReturnURL == "":
		return nil
	case !p.Hosted:
		return errors.New("return_url is for a hosted payment only")
	}
	if err := checkAddress(p.ReturnURL, maxReturnURL); err != nil {
		return fmt.Errorf("return_url %w", err)
	}
	return nil
}

// preparedPage reads the reply to a hosted payment. It may hold pay_params or
// not: they are not looked at.
func preparedPage(body []byte) (*Prepared, error) {
	var reply struct {
		receipt
		PayURL text `json:"pay_url"`
	}
	if err := decode(body, &reply); err != nil {
		return nil, err
	}
	if _, err := webAddress(string(reply.PayURL)); err != nil {
		return nil, fmt.Errorf("pay_url %w", err)
	}
	return &Prepared{Syssn: string(reply.Syssn), SysTime: time.Time(reply.Sysdtm), PayURL: string(reply.PayURL)}, nil
}
