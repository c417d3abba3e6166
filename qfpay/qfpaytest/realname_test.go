package qfpaytest_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

func withRealNames(c *qfpaytest.Config) { c.RealName = true }

func TestRealNamesAreTakenWhereTheyAreActivated(t *testing.T) {
	s := newShop(t, withRealNames)
	s.opened("N1")
	for number, info := range map[string]string{
		"N2": `{"user_creid":"11010519491231002X","user_truename":"小林"}`,
		"N3": ` { "user_truename": "\u5c0f\u6797", "user_creid": "440524188001010014" } `,
	} {
		s.opened(number, map[string]string{"extend_info": info})
		trade, _ := s.gateway.Trade(number)
		assert.Equal(t, info, trade.Params["extend_info"])
	}
}

func TestWrongRealNamesAreRefused(t *testing.T) {
	const name = `","user_truename":"SENTINEL"}`
	for what, c := range map[string]struct{ info, want string }{
		"not JSON":            {"SENTINEL", "not a JSON object"},
		"null":                {"null", "user_creid is missing"},
		"a list":              {"[]", "not a JSON object"},
		"a number":            {`{"user_creid":11010519491231002,"user_truename":"SENTINEL"}`, "not a JSON object"},
		"two values":          {`{"user_creid":"11010519491231002X` + name + `{}`, "more than one"},
		"no name":             {`{"user_creid":"11010519491231002X"}`, "user_truename is missing"},
		"a name of spaces":    {`{"user_creid":"11010519491231002X","user_truename":" "}`, "user_truename is missing"},
		"no number":           {`{"user_truename":"SENTINEL"}`, "user_creid is missing"},
		"other letters":       {`{"USER_CREID":"11010519491231002X` + name, "user_creid is missing"},
		"more":                {`{"b":"SENTINEL","user_creid":"11010519491231002X` + name, "more than user_creid"},
		"15 digits":           {`{"user_creid":"110105491231002` + name, "not the number"},
		"a small x":           {`{"user_creid":"11010519491231002x` + name, "not the number"},
		"a month of 86":       {`{"user_creid":"430067798868676871` + name, "no date of birth"},
		"the 29th of 2 1949":  {`{"user_creid":"11010519490229002X` + name, "no date of birth"},
		"another check digit": {`{"user_creid":"110105194912310021` + name, "wrong check digit"},
		"two digits swapped":  {`{"user_creid":"11010519491231020X` + name, "wrong check digit"},
	} {
		t.Run(what, func(t *testing.T) {
			s := newShop(t, withRealNames)
			got := s.post("/trade/v1/payment", with(s.order("N1"), "extend_info", c.info))
			assert.Equal(t, "1104", got.respcd(), got.body)
			assert.Contains(t, got.reply["respmsg"], "extend_info: ")
			assert.Contains(t, got.reply["respmsg"], c.want)
			assert.NotContains(t, got.body, "SENTINEL")
			assert.Empty(t, s.gateway.Trades())
		})
	}
}
