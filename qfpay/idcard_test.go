package qfpay

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// withCheckDigit completes 17 digits.
func withCheckDigit(digits string) string { return digits + string(checkDigit(digits)) }

func TestIDCardsOfTheStandard(t *testing.T) {
	assert.NoError(t, CheckIDCard("11010519491231002X"))
	assert.NoError(t, CheckIDCard("440524188001010014"))
}

func TestIDCardsAreChecked(t *testing.T) {
	today := time.Now().In(HongKong)
	for name, test := range map[string]struct {
		id   string
		want error
	}{
		"today":               {withCheckDigit("110105" + today.Format("20060102") + "002"), nil},
		"a leap day":          {withCheckDigit("11010520000229002"), nil},
		"the first year":      {withCheckDigit("11010518000101002"), nil},
		"empty":               {"", errIDCardForm},
		"15 digits":           {"110105491231002", errIDCardForm},
		"17 digits":           {"11010519491231002", errIDCardForm},
		"19 characters":       {"11010519491231002X1", errIDCardForm},
		"a small x":           {"11010519491231002x", errIDCardForm},
		"another letter":      {"11010519491231002Y", errIDCardForm},
		"X in the middle":     {"1101051949123100XX", errIDCardForm},
		"a space in front":    {" 1010519491231002X", errIDCardForm},
		"a newline behind":    {"11010519491231002X\n", errIDCardForm},
		"digits of Arabic":    {"١١٠١٠٥١٩٤٩١٢٣١٠٠٢X", errIDCardForm},
		"full-width digits":   {"１1010519491231002X", errIDCardForm},
		"month 13":            {withCheckDigit("11010519491331002"), errIDCardDate},
		"day 0":               {withCheckDigit("11010519491200002"), errIDCardDate},
		"no leap year":        {withCheckDigit("11010519000229002"), errIDCardDate},
		"QFPay's own example": {"430067798868676871", errIDCardDate},
		"before 1800":         {withCheckDigit("11010517991231002"), errIDCardDate},
		"the day after":       {withCheckDigit("110105" + today.AddDate(0, 0, 2).Format("20060102") + "002"), errIDCardDate},
		"another check digit": {"110105194912310021", errIDCardCheck},
	} {
		assert.Equal(t, test.want, CheckIDCard(test.id), name)
	}
}

// ISO 7064 MOD 11-2 promises this of every number.
func TestTheCheckDigitFindsEverySlip(t *testing.T) {
	right := "11010519491231002X"
	for i := range 17 {
		for digit := byte('0'); digit <= '9'; digit++ {
			slip := []byte(right)
			slip[i] = digit
			assert.Equal(t, digit == right[i], checkDigit(string(slip[:17])) == 'X', "%s", slip)
		}
		if i > 0 {
			slip := []byte(right)
			slip[i-1], slip[i] = slip[i], slip[i-1]
			assert.Equal(t, right[i-1] == right[i], checkDigit(string(slip[:17])) == 'X', "%s", slip)
		}
	}
}
