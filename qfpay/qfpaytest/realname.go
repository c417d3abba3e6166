package qfpaytest

import (
	"encoding/json"
	"io"
	"regexp"
	"strings"
	"time"
)

var idCardPattern = regexp.MustCompile(`^[0-9]{17}[0-9X]$`)

// realName is the payer's identity for the mainland's real-name check. What is
// wrong is said without the values.
func realName(value string) string {
	var payer map[string]string
	decoder := json.NewDecoder(strings.NewReader(value))
	if err := decoder.Decode(&payer); err != nil {
		return "not a JSON object of user_creid and user_truename"
	}
	_, err := decoder.Token()
	switch {
	case err != io.EOF:
		return "more than one JSON value"
	case payer["user_creid"] == "":
		return "user_creid is missing"
	case strings.TrimSpace(payer["user_truename"]) == "":
		return "user_truename is missing"
	case len(payer) > 2:
		return "holds more than user_creid and user_truename"
	}
	return idCard(payer["user_creid"])
}

// idCard is the number of a mainland identity card of 18 characters.
func idCard(value string) string {
	if !idCardPattern.MatchString(value) {
		return "user_creid is not the number of an identity card"
	}
	if _, err := time.Parse("20060102", value[6:14]); err != nil {
		return "user_creid holds no date of birth"
	}
	if value[17] != idCardCheck(value[:17]) {
		return "user_creid has a wrong check digit"
	}
	return ""
}

// idCardCheck is the check digit by the tables of GB 11643-1999.
func idCardCheck(number string) byte {
	sum := 0
	for i, weight := range []int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2} {
		sum += weight * int(number[i]-'0')
	}
	return "10X98765432"[sum%11]
}
