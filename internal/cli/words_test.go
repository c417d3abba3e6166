package cli_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/cli"
)

func TestAnInvoiceOfAShopWithSeveralBlocksIsMadeForTheFirstOrTheOneThatIsNamed(t *testing.T) {
	c := &caddy{answers: map[string]answer{
		"GET /qfpay_jsapi/shops": {body: `{"shops":[{"name":"pets","currency":"HKD","path":"/pay","public_url":"https://pets.example","invoices":true},
			{"name":"pets","currency":"HKD","path":"/kasse","public_url":"https://tiere.example","invoices":true}]}`},
		"POST /qfpay_jsapi/invoices": {body: `{"url":"https://pets.example/pay?invoice=t","token":"t"}`},
	}}
	for name, test := range map[string]struct {
		flags  []string
		posted string
		notes  string
	}{
		"no flag": {nil, `"path":"/pay","public_url":"https://pets.example"`,
			"The shop takes invoices at https://pets.example/pay, https://tiere.example/kasse. This link is for the first; choose another with --path or --public-url.\n"},
		"--name": {[]string{"--name", "pets"}, `"path":"/pay","public_url":"https://pets.example"`,
			"The shop takes invoices at https://pets.example/pay, https://tiere.example/kasse. This link is for the first; choose another with --path or --public-url.\n"},
		"--path": {[]string{"--path", "/kasse"}, `"path":"/kasse","public_url":"https://tiere.example"`, ""},
	} {
		c.asked = nil
		ran := c.run(t, "", append([]string{"invoice", "99", "Visit", "--id", "V"}, test.flags...)...)
		require.NoError(t, ran.err, name)
		assert.Equal(t, test.notes, ran.notes, name)
		assert.Equal(t, []string{`POST /qfpay_jsapi/invoices {"id":"V","amount":9900,"currency":"HKD","text":"Visit","uses":1,"name":"pets",` + test.posted + `}`}, c.posted(), name)
	}
}

func TestWithJSONErrorsAreJSONTooAndNothingElseIsSaid(t *testing.T) {
	c := &caddy{answers: map[string]answer{
		"GET /qfpay_jsapi/orders/" + someOrder:              {body: `{"order":"` + someOrder + `","status":"paid","currency":"HKD","left":20600}`},
		"POST /qfpay_jsapi/orders/" + someOrder + "/refund": {body: `{"order":"` + someOrder + `","status":"refused","reason":"not today"}`},
		"GET /qfpay_jsapi/orders/nothing":                   {404, `{"error":"unknown order"}`},
	}}
	for name, test := range map[string]struct {
		args  []string
		error string
	}{
		"a refusal":             {[]string{"show", "nothing", "--json"}, "unknown order"},
		"no Caddy":              {[]string{"orders", "--json"}, "no Caddy answers at localhost:2019"},
		"a wrong flag":          {[]string{"--json", "orders", "--dya", "2026-11-23"}, "unknown flag: --dya"},
		"a missing argument":    {[]string{"show", "--json"}, "accepts 1 arg(s), received 0"},
		"a misspelt command":    {[]string{"ordres", "--json"}, `unknown command "ordres"`},
		"a number below zero":   {[]string{"--json", "refund", someOrder, "-5"}, "-5 is below zero"},
		"a refund is refused":   {[]string{"refund", someOrder, "--yes", "--json"}, "the refund was refused, and no money was returned: not today"},
		"flags that contradict": {[]string{"orders", "--json", "--day", "2026-11-23", "--from", "2026-11-01"}, "--day is one day"},
	} {
		ran := c.run(t, "", test.args...)
		require.Error(t, ran.err, name)
		assert.NotErrorIs(t, ran.err, cli.Undecided, "%s: the exit code is 1, as without --json", name)
		var said struct{ Error string }
		require.NoError(t, json.Unmarshal([]byte(ran.notes), &said), "%s: %s", name, ran.notes)
		assert.Contains(t, said.Error, test.error, name)
		assert.Equal(t, ran.err.Error(), said.Error, name)
	}
}

func TestANumberBelowZeroIsNotTakenForAFlag(t *testing.T) {
	for number, args := range map[string][]string{
		"-5": {"refund", someOrder, "-5"}, "-5.50": {"refund", someOrder, "-5.50"}, "-7": {"stock", "cat-food", "-7"}, "-.5": {"invoice", "-.5", "Visit"},
	} {
		ran := new(caddy).run(t, "", args...)
		assert.EqualError(t, ran.err, number+" is below zero: amounts and numbers of pieces are written without a sign")
	}
	assert.EqualError(t, new(caddy).run(t, "", "refund", someOrder, "-q").err, "unknown shorthand flag: 'q' in -q")
}

func TestHelpIsACommand(t *testing.T) {
	assert.Contains(t, new(caddy).run(t, "", "help").out, "Refunds an order")
	assert.Contains(t, new(caddy).run(t, "", "help", "refund").out, "--wait")
	assert.EqualError(t, new(caddy).run(t, "", "help", "refnd").err, `unknown command "refnd" for "qfpay-jsapi"`)
}

func TestADayAndAPeriodAreNotAskedForTogether(t *testing.T) {
	for _, command := range []string{"orders", "export"} {
		for _, flag := range []string{"--from", "--to"} {
			ran := new(caddy).run(t, "", command, "--day", "2026-11-23", flag, "2026-11-22")
			assert.EqualError(t, ran.err, "--day is one day, --from and --to are a period: use one or the other", command, flag)
		}
	}
}
