package tongue

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
)

var family = Read(fstest.MapFS{
	"texts/en.json":      {Data: []byte(`{"hello": "Hello, %s"}`)},
	"texts/zh-Hans.json": {Data: []byte(`{"hello": "你好，%s"}`)},
	"texts/zh-Hant.json": {Data: []byte(`{"hello": "你好，%s"}`)},
}, "texts")

func TestTexts(t *testing.T) {
	text, err := family.Tongues[1].Text("hello", "海港")
	assert.NoError(t, err)
	assert.Equal(t, "你好，海港", text)
	_, err = family.Tongues[1].Text("goodbye")
	assert.EqualError(t, err, `no text "goodbye" in zh-Hans`)
}

func TestMistakesInTheProgramAreLoud(t *testing.T) {
	assert.Panics(t, func() { Read(fstest.MapFS{}, "texts") })
	assert.Panics(t, func() { Read(fstest.MapFS{"texts/en.json": {Data: []byte("{")}}, "texts") })
}

func TestLanguages(t *testing.T) {
	for accept, want := range map[string]string{
		"":                           "en",
		"en-GB,en;q=0.9":             "en",
		"fr-FR":                      "en",
		"zh":                         "zh-Hans",
		"zh-CN,zh;q=0.9,en;q=0.8":    "zh-Hans",
		"zh-SG":                      "zh-Hans",
		"zh-Hans-HK":                 "zh-Hans",
		"zh-HK":                      "zh-Hant",
		"zh-TW,zh;q=0.9,en-US;q=0.8": "zh-Hant",
		"zh-MO":                      "zh-Hant",
		"zh-Hant":                    "zh-Hant",
		"fr, zh-TW;q=0.5, en;q=0.1":  "zh-Hant",
		"en;q=0.2, zh-CN":            "zh-Hans",
		"nonsense;;q=;":              "en",
		strings.Repeat("zh-", 50000): "en",
	} {
		assert.Equal(t, want, family.Preferred([]string{accept}).Tag, "%.40q", accept)
	}
	assert.Equal(t, "zh-Hant", family.Preferred([]string{"fr", "zh-HK"}).Tag)
	assert.Equal(t, "en", family.Preferred(nil).Tag)
}

func TestMoney(t *testing.T) {
	en, hans, hant := family.Tongues[0], family.Tongues[1], family.Tongues[2]
	for _, c := range []struct {
		tongue *Tongue
		amount [2]string
		want   string
	}{
		{en, [2]string{}, ""},
		{en, [2]string{"128.00", "HKD"}, "HK$128.00"},
		{hans, [2]string{"128.00", "HKD"}, "HK$128.00"},
		{hant, [2]string{"128.00", "HKD"}, "HK$128.00"},
		{en, [2]string{"1280", "JPY"}, "¥1,280"},
		{hans, [2]string{"1280", "JPY"}, "JP¥1,280"},
		{en, [2]string{"1234567.50", "CNY"}, "CN¥1,234,567.50"},
		{hans, [2]string{"0.01", "CNY"}, "¥0.01"},
		{en, [2]string{"12.5", "HKD"}, "HK$12.5"},
		{en, [2]string{"12", "HKD"}, "HK$12"},
		{en, [2]string{"1.250", "KWD"}, "KWD\u00a01.250"},
		{en, [2]string{"12.00", "???"}, "12.00 ???"},
		{en, [2]string{"many", "HKD"}, "many HKD"},
		{en, [2]string{"5", ""}, "5"},
		{en, [2]string{"123456789012345.123456789", "HKD"}, "HK$123,456,789,012,345.123456789"},
		{en, [2]string{"1." + strings.Repeat("0", 400), "HKD"}, "1." + strings.Repeat("0", 400) + " HKD"},
		{en, [2]string{"NaN", "HKD"}, "NaN HKD"},
		{en, [2]string{"1e3", "HKD"}, "1e3 HKD"},
	} {
		assert.Equal(t, c.want, c.tongue.Money(c.amount[0], c.amount[1]), "%v", c.amount)
	}
}
