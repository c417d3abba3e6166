package locale

import (
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// parts are all texts of a language, by where they are read.
func (f *file) parts() map[string]map[string]string {
	return map[string]map[string]string{"payer": f.Payer, "owner": f.Owner, "mail": f.Mail, "fields": f.Fields}
}

var verb = regexp.MustCompile(`%(\[\d])?[a-z]`)

// verbs are what a text has for its arguments, in the arguments' order.
func verbs(text string) []string {
	found := verb.FindAllString(text, -1)
	slices.Sort(found)
	return found
}

func TestTextsAreCompleteInEveryLanguage(t *testing.T) {
	english := languages[0].parts()
	for _, f := range languages {
		for part, texts := range f.parts() {
			for key := range english[part] {
				assert.Contains(t, texts, key, "%s: %s %s is missing", f.tag, part, key)
			}
			for key, text := range texts {
				assert.Contains(t, english[part], key, "%s: %s %s is in no other language", f.tag, part, key)
				assert.Equal(t, english[part][key] == "", text == "", "%s: %s %s is empty", f.tag, part, key)
				assert.Equal(t, verbs(english[part][key]), verbs(text), "%s: %s %s", f.tag, part, key)
				assert.Equal(t, strings.TrimSpace(text), text, "%s: %s %s", f.tag, part, key)
			}
		}
	}
}

// A text that is the same in another language was not translated, unless it is a
// name, or a word that both have.
func TestTextsAreTranslated(t *testing.T) {
	names := []string{"AlipayHK", "PayMe", "UnionPay", "WeChat Pay", "Webhook", "Webhooks"}
	for _, f := range languages[1:] {
		for part, texts := range f.parts() {
			for key, text := range texts {
				english := languages[0].parts()[part][key]
				same := text == english && !slices.Contains(names, text) && strings.ContainsFunc(verb.ReplaceAllString(text, ""), unicode.IsLetter)
				assert.False(t, same && !slices.Contains(alike[f.tag], text), "%s: %s %s is in English", f.tag, part, key)
			}
		}
	}
}

// alike are words that a language shares with English.
var alike = map[string][]string{"id": {"Status"}}

func TestChineseIsWrittenInItsOwnScript(t *testing.T) {
	const simplified, traditional = "这单为开扫码认还时间请会钱务无网号状态说编从净币闸们发货给实际项检", "這單為開掃碼認還時間請會錢務無網號狀態說編從淨幣閘們發貨給實際項檢"
	for tag, foreign := range map[string]string{"zh-Hans": traditional, "zh-Hant": simplified, "zh-TW": simplified} {
		for part, texts := range fileOf(tag).parts() {
			for key, text := range texts {
				assert.False(t, strings.ContainsAny(text, foreign), "%s: %s %s: %s", tag, part, key, text)
			}
		}
	}
}

// One word for one thing, and that of the place.
func TestEachLanguageKeepsToItsWords(t *testing.T) {
	for tag, others := range map[string]string{
		"zh-Hans": "WeChat|商店|商家|付款人|买家|参考编号|备注编号|电邮|逾|付款方式|支付链接|争议|订单数据库",
		"zh-Hant": "WeChat|訂單號|打開|付款人|支付方式|網路|電子郵件|什麼|QR Code|身分|對賬|幣種|逾期|查找|爭議|存貨|寄出|訂單資料庫",
		"zh-TW":   "WeChat|訂單號|打開|付款人|支付方式|網絡|電郵|甚麼|二維碼|身份|發貨|點算|對賬|幣種|商戶|查找|提交|爭議|寄出|報告|訂單資料庫",
		"ja":      "請求され|台帳|入金|購入者|支払者|トーク|純額",
		"th":      "บัญชีคำสั่งซื้อ|ใบจัดของ|ที่อยู่นี้|[.]$",
		"id":      `[Cc]ara pembayaran|Tidak ada dana|\bpembayar\b|catatan pesanan`,
	} {
		foreign := regexp.MustCompile(others)
		for part, texts := range fileOf(tag).parts() {
			for key, text := range texts {
				assert.Empty(t, foreign.FindString(text), "%s: %s %s: %s", tag, part, key, text)
			}
		}
	}
}

func TestPunctuationIsFullWidthBesideChineseAndJapanese(t *testing.T) {
	half := regexp.MustCompile(`[\p{Han}\p{Hiragana}\p{Katakana}][,.;:!?()]|[,;:!?()][\p{Han}\p{Hiragana}\p{Katakana}]`)
	for _, tag := range []string{"zh-Hans", "zh-Hant", "zh-TW", "ja"} {
		for part, texts := range fileOf(tag).parts() {
			for key, text := range texts {
				assert.Empty(t, half.FindString(text), "%s: %s %s: %s", tag, part, key, text)
			}
		}
	}
}

func fileOf(tag string) *file {
	return languages[slices.IndexFunc(languages, func(f *file) bool { return f.tag == tag })]
}

func TestDatesAreWrittenInEveryLanguage(t *testing.T) {
	at := time.Date(2026, 11, 24, 2, 4, 5, 0, time.FixedZone("", 8*3600))
	for _, l := range Payer.Locales {
		assert.Contains(t, l.Clock(at).Human, "UTC+8", l.Tag)
		for _, text := range []string{l.Clock(at).Human, l.Minute(at), l.Second(at)} {
			assert.Contains(t, text, strconv.Itoa(2026+l.dates.YearsAhead), l.Tag)
			assert.Contains(t, text, "24", l.Tag)
			assert.Regexp(t, `02[:.]04`, text, l.Tag)
		}
		assert.Regexp(t, `[:.]05$`, l.Second(at), l.Tag)
		assert.Contains(t, []int{0, 12}, len(l.dates.Months), l.Tag)
	}
}

func TestTheDocumentListsTheLanguages(t *testing.T) {
	text, err := os.ReadFile("../../docs/reference.md")
	require.NoError(t, err)
	_, table, found := strings.Cut(string(text), "\n## Languages\n")
	require.True(t, found)
	table, _, _ = strings.Cut(table, "\n## ")
	var listed []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllStringSubmatch(table, -1) {
		listed = append(listed, row[1])
	}
	assert.Equal(t, Tags(), listed)
}
