package cli_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAnOrderIsFulfilledWithANoteAndUndone(t *testing.T) {
	uri := "/qfpay_jsapi/orders/" + someOrder + "/fulfil"
	sent := `{"order":"` + someOrder + `","status":"paid","fulfilled_at":"2026-11-23T04:00:00Z","note":"SF 1\u001b[2J"}`
	c := &caddy{answers: map[string]answer{
		"POST " + uri: {body: sent}, "DELETE " + uri: {body: `{"order":"` + someOrder + `","status":"paid"}`},
	}}
	said := c.run(t, "", "fulfil", someOrder, "--note", "SF 1")
	require.NoError(t, said.err)
	assert.Contains(t, said.out, "paid, fulfilled")
	assert.Regexp(t, `Note +SF 1 \[2J\n`, said.out, "without what terminals obey")
	said = c.run(t, "", "fulfil", someOrder, "--undo")
	require.NoError(t, said.err)
	assert.NotContains(t, said.out, "fulfilled")
	assert.ErrorContains(t, c.run(t, "", "fulfil", someOrder, "--undo", "--note", "x").err, "use either")
	assert.Equal(t, []string{"POST " + uri + ` {"note":"SF 1"}`, "DELETE " + uri}, c.asked)
}

func TestWhatIsToBeFulfilledIsListed(t *testing.T) {
	c := &caddy{answers: map[string]answer{"GET /qfpay_jsapi/orders?fulfilled=false&limit=100": {body: `{"orders":[]}`}}}
	said := c.run(t, "", "orders", "--todo")
	require.NoError(t, said.err)
	assert.Equal(t, "No orders.\n", said.out)
}
