package locale

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
)

// in is a language of a set.
func in(set *Set, tag string) *Locale {
	return set.Locales[slices.Index(Tags(), tag)]
}

func TestATextIsFilledInAndAMissingOneIsAnError(t *testing.T) {
	hant := in(Mail, "zh-Hant")
	text, err := hant.Text("receipt.subject", "海港", "HK$1.00")
	assert.NoError(t, err)
	assert.Equal(t, "海港 的收據：HK$1.00", text)
	_, err = hant.Text("goodbye")
	assert.EqualError(t, err, `no text "goodbye" in zh-Hant`)
}

func TestInputsThatManyShopsAskForAreCalledByWords(t *testing.T) {
	for _, l := range Payer.Locales {
		assert.NotEqual(t, "address", l.Field("address"), l.Tag)
		assert.Equal(t, "dog_size", l.Field("dog_size"), l.Tag)
	}
}

func TestALanguageIsAFile(t *testing.T) {
	more := fstest.MapFS{"texts/en.json": {Data: []byte(`{}`)}, "texts/de.json": {Data: []byte(`{"payer": {"pay": "Bezahlen"}}`)}}
	some := newSet(read(more), func(f *file) map[string]string { return f.Payer })
	text, err := some.Preferred([]string{"de-AT"}).Text("pay")
	assert.NoError(t, err)
	assert.Equal(t, "Bezahlen", text)
	assert.Equal(t, "en", some.Preferred([]string{"fr"}).Tag)
}

func TestUnreadableTextsPanic(t *testing.T) {
	for name, files := range map[string]fstest.MapFS{
		"none":         {},
		"no JSON":      {"texts/en.json": {Data: []byte("{")}},
		"unknown part": {"texts/en.json": {Data: []byte(`{"payers": {}}`)}},
	} {
		assert.Panics(t, func() { read(files) }, name)
	}
	assert.Panics(t, func() { newSet([]*file{{tag: "no language"}}, func(f *file) map[string]string { return f.Payer }) })
}

func TestTheReadersFirstKnownLanguageIsPreferred(t *testing.T) {
	for accept, want := range map[string]string{
		"":                           "en",
		"en-GB,en;q=0.9":             "en",
		"fr-FR":                      "en",
		"ko,en;q=0.5":                "en",
		"zh":                         "zh-Hans",
		"zh-CN,zh;q=0.9,en;q=0.8":    "zh-Hans",
		"zh-SG":                      "zh-Hans",
		"zh-Hans":                    "zh-Hans",
		"zh-Hans-HK":                 "zh-Hans",
		"zh-Hans-TW":                 "zh-Hans",
		"zh-HK,zh;q=0.9":             "zh-Hant",
		"zh-MO":                      "zh-Hant",
		"zh-Hant":                    "zh-Hant",
		"zh-Hant-HK,zh-Hant;q=0.9":   "zh-Hant",
		"zh-Hant-MO":                 "zh-Hant",
		"zh-TW,zh;q=0.9,en-US;q=0.8": "zh-TW",
		"zh-Hant-TW,zh-Hant;q=0.9":   "zh-TW",
		"fr, zh-TW;q=0.5, en;q=0.1":  "zh-TW",
		"en;q=0.2, zh-CN":            "zh-Hans",
		"ja-JP,ja;q=0.9,en-US;q=0.8": "ja",
		"th":                         "th",
		"th-TH,th;q=0.9":             "th",
		"id-ID,id;q=0.9,en-US;q=0.8": "id",
		"in-ID":                      "id", // as old phones call it
		"yue-Hant-HK,zh-Hant;q=0.9":  "zh-Hant",
		"zh-HK,zh-TW;q=0.9,ja;q=0.8": "zh-Hant",
		"de,th;q=0.9,zh-TW;q=0.8,en": "en",
		"nonsense;;q=;":              "en",
		strings.Repeat("zh-", 50000): "en",
	} {
		assert.Equal(t, want, Payer.Preferred([]string{accept}).Tag, "%.40q", accept)
	}
	assert.Equal(t, "zh-Hant", Payer.Preferred([]string{"fr", "zh-HK"}).Tag)
	assert.Equal(t, "en", Payer.Preferred(nil).Tag)
}

// An order remembers the tag of the payer's language, for mails later on.
func TestEveryLanguageIsFoundByItsOwnTag(t *testing.T) {
	for _, tag := range Tags() {
		assert.Equal(t, tag, Mail.Preferred([]string{tag}).Tag)
	}
}

func TestMoneyIsWrittenAsReadersOfTheLanguageDo(t *testing.T) {
	en, hans, hant, taiwan := in(Payer, "en"), in(Payer, "zh-Hans"), in(Payer, "zh-Hant"), in(Payer, "zh-TW")
	ja, th, id := in(Payer, "ja"), in(Payer, "th"), in(Payer, "id")
	for _, c := range []struct {
		locale *Locale
		amount [2]string
		want   string
	}{
		{en, [2]string{}, ""},
		{en, [2]string{"128.00", "HKD"}, "HK$128.00"},
		{hans, [2]string{"128.00", "HKD"}, "HK$128.00"},
		{hant, [2]string{"128.00", "HKD"}, "HK$128.00"},
		{hant, [2]string{"128.00", "TWD"}, "NT$128.00"},
		{hant, [2]string{"128.00", "CNY"}, "CN¥128.00"},
		{taiwan, [2]string{"1128.00", "TWD"}, "NT$1,128.00"},
		{taiwan, [2]string{"128.00", "CNY"}, "CN¥128.00"},
		{ja, [2]string{"1280", "JPY"}, "￥1,280"},
		{th, [2]string{"1280.00", "THB"}, "฿1,280.00"},
		{id, [2]string{"150000", "IDR"}, "Rp\u00a0150.000"},
		{id, [2]string{"1234567.50", "HKD"}, "HK$1.234.567,50"},
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
		assert.Equal(t, c.want, c.locale.Money(c.amount[0], c.amount[1]), "%v", c.amount)
	}
}

func TestNumbersAreGroupedAsReadersOfTheLanguageDo(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567"} {
		for _, tag := range []string{"en", "ja", "th", "zh-Hans", "zh-Hant", "zh-TW"} {
			assert.Equal(t, want, in(Owner, tag).Number(n), tag)
		}
		assert.Equal(t, strings.ReplaceAll(want, ",", "."), in(Owner, "id").Number(n))
	}
}
