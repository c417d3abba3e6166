package qfpaytest

import (
	"errors"
	"time"
)

// codeLife is how long an OAuth code is good for, as WeChat has it.
const codeLife = 5 * time.Minute

// Why a code is not exchanged for an openid.
var (
	errCodeUnknown = errors.New("never issued")
	errCodeUsed    = errors.New("used before")
	errCodeExpired = errors.New("expired")
)

// payers hands out codes and openids, each of them for one official account:
// that of the gateway, or the shop's own.
type payers struct {
	codes   *shelf[*code]
	openids *shelf[*openid]
	issued  int
}

type code struct {
	appID  string
	issued time.Time
	used   bool
}

type openid struct {
	appID string
	paid  bool
}

func newPayers(limit int) *payers {
	return &payers{codes: newShelf[*code](limit), openids: newShelf[*openid](limit)}
}

func (p *payers) newCode(d dice, appID string, now time.Time) string {
	p.issued++
	value := "0" + letters(d.roll("code", p.issued), alphanumeric, 31)
	p.codes.put(value, &code{appID: appID, issued: now})
	return value
}

// exchange takes a code and gives the openid of a payer who was never seen
// before. To the one account, a code of the other was never issued.
func (p *payers) exchange(d dice, appID, value string, now time.Time) (string, error) {
	c, known := p.codes.get(value)
	switch {
	case !known || c.appID != appID:
		return "", errCodeUnknown
	case c.used:
		return "", errCodeUsed
	case now.Sub(c.issued) > codeLife:
		return "", errCodeExpired
	}
	c.used = true
	p.issued++
	id := "o" + letters(d.roll("openid", p.issued), alphanumeric, 27)
	p.openids.put(id, &openid{appID: appID})
	return id, nil
}

// admit says whether an openid may pay. The gateway wants a new one of its own
// account for every payment; one of the shop's account is a user's for good.
func (p *payers) admit(id, gatewayAppID string) *refusal {
	payer, known := p.openids.get(id)
	switch {
	case !known:
		return refuse(respcdValue, "sub_openid: never issued")
	case payer.paid && payer.appID == gatewayAppID:
		return refuse(respcdValue, "sub_openid: every payment needs a new one")
	}
	return nil
}

// appID is the account that an openid belongs to, and otherwise the given one.
func (p *payers) appID(id, otherwise string) string {
	if payer, known := p.openids.get(id); known {
		return payer.appID
	}
	return otherwise
}

// spend marks an openid as used for its payment.
func (p *payers) spend(id string) {
	if payer, known := p.openids.get(id); known {
		payer.paid = true
	}
}
