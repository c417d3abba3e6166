package qfpay

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// idCard is the example of GB 11643 itself.
const idCard = "11010519491231002X"

func TestIDCardsAreCheckedByTheirCheckDigit(t *testing.T) {
	for _, good := range []string{idCard, "440524188001010014"} {
		assert.NoError(t, CheckIDCard(good))
	}
	for _, bad := range []string{
		"", "110105194912310021", "11010519491231002x", "11010519491331002X", "110105491231002",
		" 1010519491231002X", "1101051949123100XX", idCard + "0", "１1010519491231002X",
	} {
		err := CheckIDCard(bad)
		require.Error(t, err, bad)
		if bad != "" {
			assert.NotContains(t, err.Error(), bad)
		}
	}
	for i := range 17 {
		for _, digit := range "0123456789" {
			if altered := idCard[:i] + string(digit) + idCard[i+1:]; altered != idCard {
				assert.Error(t, CheckIDCard(altered), "one digit altered is always noticed")
			}
		}
	}
}

func TestARealNameIsSentAsTheGatewayWantsIt(t *testing.T) {
	name := &RealName{Name: `陈 "<&>`, IDCard: idCard}
	assert.Equal(t, `{"user_creid":"11010519491231002X","user_truename":"陈 \"<&>"}`, name.extendInfo())
	assert.NoError(t, name.Check())
	for _, bad := range []RealName{{"", idCard}, {"  ", idCard}, {"a\nb", idCard}, {strings.Repeat("陈", 65), idCard}, {"陈", "1"}, {"\xff", idCard}} {
		assert.Error(t, bad.Check())
	}
}

func TestARealNameIsNotShownHoweverItIsPrinted(t *testing.T) {
	payment := Payment{OutTradeNo: "T1", RealName: &RealName{"sentinel-陈", idCard}}
	text, err := json.Marshal(payment)
	require.NoError(t, err)
	shown := string(text)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		shown += fmt.Sprintf(verb, *payment.RealName) + fmt.Sprintf(verb, payment.RealName) + fmt.Sprintf(verb, payment)
	}
	assert.NotContains(t, shown, "sentinel")
	assert.NotContains(t, shown, idCard)
	err = payment.RealName.redact(&Error{Message: "no such person sentinel-陈 " + idCard})
	assert.Contains(t, err.Error(), "no such person [redacted] [redacted]")
}
