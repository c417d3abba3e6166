package qfpayjsapi

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	logged "go.uber.org/zap/zaptest/observer"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/redact"
)

func TestTheTableHasEveryFieldOfTheConfigurationOnce(t *testing.T) {
	repeated := map[string]string{"params": "param", "items": "item", "fields": "field", "webhooks": "webhook"}
	var fields []string
	for _, field := range reflect.VisibleFields(reflect.TypeFor[Handler]()) {
		if tag, inJSON := field.Tag.Lookup("json"); inJSON {
			name, _, _ := strings.Cut(tag, ",")
			if one, isRepeated := repeated[name]; isRepeated {
				name = one
			}
			fields = append(fields, name)
		}
	}
	assert.ElementsMatch(t, fields, Subdirectives())
}

// secretBlock has every secret that a block can have.
func secretBlock() *Handler {
	return &Handler{
		ClientKey:       "sentinel-1",
		InvoiceKey:      "sentinel-2",
		OfficialAccount: &OfficialAccount{AppID: "wx1", AppSecret: "sentinel-3"},
		Webhooks:        []Webhook{{URL: "https://a.example", Secret: "sentinel-4"}, {URL: "https://b.example", Secret: "sentinel-5"}},
		Mail:            &Mail{URL: "smtp://shop:sentinel-6@mail.example"},
	}
}

func TestEverySecretThatIsWrittenOutIsWarnedOf(t *testing.T) {
	core, entries := logged.New(zap.WarnLevel)
	h := secretBlock()
	h.logger = zap.New(core)
	h.warnOfLiteralSecrets()
	var fields []any
	for _, entry := range entries.All() {
		fields = append(fields, entry.ContextMap()["field"])
	}
	assert.ElementsMatch(t, []any{
		"client_key", "invoice_key", "official_account.app_secret", "webhooks[0].secret", "webhooks[1].secret", "mail.url",
	}, fields)

	entries.TakeAll()
	for _, value := range secretsOf(h) {
		*value = "{env.TEST_SECRET}"
	}
	h.Mail.URL = "smtp://shop:{env.TEST_SECRET}@mail.example"
	h.warnOfLiteralSecrets()
	assert.Zero(t, entries.Len())

	h.Mail.URL = "smtp://localhost"
	h.warnOfLiteralSecrets()
	assert.Zero(t, entries.Len(), "a server without a password is no secret")
}

// secretsOf finds the secrets of a configuration by their type.
func secretsOf(h *Handler) []*redact.Secret {
	found := []*redact.Secret{&h.ClientKey, &h.InvoiceKey, &h.OfficialAccount.AppSecret, &h.Mail.URL}
	for i := range h.Webhooks {
		found = append(found, &h.Webhooks[i].Secret)
	}
	return found
}

func TestTheSecretsOfABlockAreInItsJSONAndPrintedNowhere(t *testing.T) {
	h := secretBlock()
	for _, value := range []any{h, *h, h.OfficialAccount, h.Webhooks, h.Mail, Postgres{URL: "postgres://shop:sentinel@db.example/ledger"}} {
		for _, verb := range []string{"%v", "%+v", "%#v"} {
			assert.NotContains(t, fmt.Sprintf(verb, value), "sentinel")
		}
	}
	text, err := json.Marshal(h)
	require.NoError(t, err)
	var again Handler
	require.NoError(t, json.Unmarshal(text, &again))
	assert.Equal(t, secretsOf(h), secretsOf(&again), "caddy adapt marshals blocks")
}

func TestParametersTakePlaceholders(t *testing.T) {
	t.Setenv("TEST_TERMINAL", "7")
	h := &Handler{Params: map[string]string{"udid": "{env.TEST_TERMINAL}", "rmb_tag": "Y"}}
	require.NoError(t, h.expand())
	assert.Equal(t, map[string]string{"udid": "7", "rmb_tag": "Y"}, h.Params)
	h.Params["udid"] = "{env.TEST_UNSET_VARIABLE}"
	assert.ErrorContains(t, h.expand(), "qfpay_jsapi: params.udid: ")
}
