package qfpay

import (
	"errors"
	"regexp"
	"time"
)

// What can be wrong with the number of an identity card. None of it repeats the
// number.
var (
	errIDCardForm  = errors.New("must be 17 digits and a check digit from 0 to 9 or X")
	errIDCardDate  = errors.New("must hold a date of birth")
	errIDCardCheck = errors.New("must have the right check digit")
)

var idCardPattern = regexp.MustCompile(`^[0-9]{17}[0-9X]$`)

// CheckIDCard reports what is wrong with the number of a mainland identity card
// (GB 11643-1999): 18 characters, namely a region, which is not checked, the date
// of birth from 1800 to today, a serial number, and the check digit of ISO 7064
// MOD 11-2, which is 0 to 9 or a capital X. The error does not show the number.
func CheckIDCard(id string) error {
	if !idCardPattern.MatchString(id) {
		return errIDCardForm
	}
	const layout = "20060102"
	birth := id[6:14]
	_, err := time.Parse(layout, birth)
	switch {
	case err != nil, birth < "18000101", birth > time.Now().In(HongKong).Format(layout):
		return errIDCardDate
	case id[17] != checkDigit(id[:17]):
		return errIDCardCheck
	}
	return nil
}

// checkDigit is that of ISO 7064 MOD 11-2: with it as the last, the sum of all
// digits, each times the power of two of its place, is 1 modulo 11.
func checkDigit(digits string) byte {
	sum := 0
	for _, digit := range []byte(digits) {
		sum = (sum + int(digit-'0')) * 2 % 11
	}
	return "0123456789X"[(12-sum)%11]
}
