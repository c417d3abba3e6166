package qfpaytest

import "time"

// codeLife is how long an OAuth code is good for, as WeChat has it.
const codeLife = 5 * time.Minute

// payers hands out codes and openids, each good for one use.
type payers struct {
	codes   *shelf[*code]
	openids *shelf[*openid]
	issued  int
}

type code struct {
	issued time.Time
	used   bool
}

type openid struct{ paid bool }

func newPayers(limit int) *payers {
	return &payers{codes: newShelf[*code](limit), openids: newShelf[*openid](limit)}
}

func (p *payers) newCode(d dice, now time.Time) string {
	p.issued++
	value := "0" + letters(d.roll("code", p.issued), alphanumeric, 31)
	p.codes.put(value, &code{issued: now})
	return value
}

// exchange takes a code and gives the openid of a payer who was never seen before.
func (p *payers) exchange(d dice, value string, now time.Time) (string, *refusal) {
	c, known := p.codes.get(value)
	switch {
	case !known:
		return "", refuse(RespcdCodeRefused, "code: never issued")
	case c.used:
		return "", refuse(RespcdCodeRefused, "code: used before")
	case now.Sub(c.issued) > codeLife:
		return "", refuse(RespcdCodeRefused, "code: expired")
	}
	c.used = true
	p.issued++
	id := "o" + letters(d.roll("openid", p.issued), alphanumeric, 27)
	p.openids.put(id, &openid{})
	return id, nil
}

// admit says whether an openid may pay.
func (p *payers) admit(id string) *refusal {
	payer, known := p.openids.get(id)
	switch {
	case !known:
		return refuse(respcdValue, "sub_openid: never issued")
	case payer.paid:
		return refuse(respcdValue, "sub_openid: every payment needs a new one")
	}
	return nil
}

// spend marks an openid as used for its payment.
func (p *payers) spend(id string) {
	if payer, known := p.openids.get(id); known {
		payer.paid = true
	}
}
