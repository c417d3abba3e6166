package mail

import (
	"bytes"
	"encoding/json"
	"html"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var happenedAt = time.Date(2026, 11, 23, 10, 4, 5, 0, time.UTC)

// received is a mail as its reader has it.
type received struct {
	mail.Header
	plain, html string
	source      string // of the HTML
	raw         string
}

// subject is decoded.
func (r received) subject(t *testing.T) string {
	t.Helper()
	text, err := new(mime.WordDecoder).DecodeHeader(r.Get("Subject"))
	require.NoError(t, err)
	return text
}

// sent is what the mailer writes to an endpoint, read again.
func sent(t *testing.T, e *Endpoint, kind, data string) received {
	t.Helper()
	msg, err := e.compose(Message{ID: "msg_01KAR4ZV8N6Q2W3E4R5T6Y7X8J_paid", Kind: kind, At: happenedAt, Data: json.RawMessage(data)})
	require.NoError(t, err)
	var raw bytes.Buffer
	_, err = msg.WriteTo(&raw)
	require.NoError(t, err)
	r := received{raw: raw.String()}
	for _, line := range strings.Split(r.raw, "\r\n") {
		require.LessOrEqual(t, len(line), 998)
		require.NotContains(t, line, "\r")
		require.NotContains(t, line, "\n")
	}
	parsed, err := mail.ReadMessage(&raw)
	require.NoError(t, err)
	r.Header = parsed.Header
	media, params, err := mime.ParseMediaType(r.Get("Content-Type"))
	require.NoError(t, err)
	require.Equal(t, "multipart/alternative", media)
	parts := multipart.NewReader(parsed.Body, params["boundary"])
	for _, want := range []string{"text/plain; charset=UTF-8", "text/html; charset=UTF-8"} { // the best one last
		part, err := parts.NextRawPart()
		require.NoError(t, err)
		require.Equal(t, want, part.Header.Get("Content-Type"))
		text, err := io.ReadAll(quotedprintable.NewReader(part))
		require.NoError(t, err)
		if r.plain == "" {
			r.plain = strings.ReplaceAll(string(text), "\r\n", "\n")
			continue
		}
		r.source = string(text)
		r.html = html.UnescapeString(strings.NewReplacer("\r\n", "\n", "<bdi>", "", "</bdi>", "").Replace(string(text)))
	}
	_, err = parts.NextRawPart()
	require.ErrorIs(t, err, io.EOF)
	return r
}

func owner(t *testing.T, language string) *Endpoint { return endpointOf(t, language, 0) }
func payer(t *testing.T) *Endpoint                  { return endpointOf(t, "", 1) }

func endpointOf(t *testing.T, language string, i int) *Endpoint {
	t.Helper()
	m, err := sampleMailer(language)
	require.NoError(t, err)
	return m.Endpoints()[i]
}

func TestTheReceiptSaysWhatWasPaidInThePayersLanguage(t *testing.T) {
	for language, want := range map[string][]string{
		"zh-Hant": {"Harbour Pets 海港宠物 的收據：HK$256.00", "您的收據", "Cat food × 2", "HK$200.00", "2026年11月23日 18:04（UTC+8）", "INV-42", "01KAR4ZV8N6Q2W3E4R5T6Y7X8J"},
		"zh-TW":   {"Harbour Pets 海港宠物 的收據：HK$256.00", "2026年11月23日 18:04（UTC+8）"},
		"ja":      {"Harbour Pets 海港宠物の領収書：HK$256.00", "2026年11月23日 18:04（UTC+8）"},
		"th":      {"ใบเสร็จรับเงินจาก Harbour Pets 海港宠物: HK$256.00", "23 พฤศจิกายน พ.ศ. 2569 เวลา 18:04 น. (UTC+8)"},
		"id":      {"Tanda terima dari Harbour Pets 海港宠物: HK$256,00", "HK$200,00", "23 November 2026 pukul 18.04 (UTC+8)"},
		"zh-CN":   {"Harbour Pets 海港宠物 的收据：HK$256.00", "您的收据"},
		"":        {"Receipt from Harbour Pets 海港宠物: HK$256.00", "Your receipt", "23 November 2026, 18:04 (UTC+8)"},
		"fr":      {"Receipt from Harbour Pets 海港宠物: HK$256.00"},
	} {
		t.Run(language, func(t *testing.T) {
			r := sent(t, payer(t), KindPaid, `{`+sampleOrder+`,"locale":"`+language+`"}`)
			assert.Equal(t, want[0], r.subject(t))
			for _, text := range want[1:] {
				assert.Contains(t, r.plain, text)
				assert.Contains(t, r.html, text)
			}
			assert.NotContains(t, r.plain, "陳大文", "what the payer told the shop is for the shop")
			assert.NotContains(t, r.html, "20261123000200020081234567")
			assert.Contains(t, r.html, `href="https://shop.example/orders/01KAR4ZV8N6Q2W3E4R5T6Y7X8J"`)
		})
	}
}

func TestThePayerHearsThatTheOrderWasSentWithTheShopsNote(t *testing.T) {
	r := sent(t, payer(t), KindFulfilled, `{`+sampleOrder+`,"note":"SF Express 1234567890"}`)
	assert.Equal(t, "Harbour Pets 海港宠物: your order is on its way", r.subject(t))
	assert.Contains(t, r.plain, "Note from the shop: SF Express 1234567890")
	assert.Contains(t, r.html, "SF Express 1234567890")
}

func TestTheOwnerIsToldWhatHappenedAndWhatThePayerSaid(t *testing.T) {
	for name, want := range map[string][]string{
		"paid":       {"Paid: HK$256.00, Cat food and 1 more", "Name: 陳大文", "Address: 8 Queen’s Road\n    Central\n", "Paid with: WeChat Pay", "20261123000200020081234567"},
		"paid late":  {"Paid late: HK$12.50, Donation", "If you can no longer deliver it, refund it.", "Paid with: PayMe", "For: Donation"},
		"paid short": {"Paid, and not enough is left: HK$12.50, Bowl", "Refund it, unless you can still deliver it."},
		"disputed":   {"A payment does not match its order of HK$256.00", "Ordered: HK$256.00", "Reported: HK$1.00", "20261123000200020081234568"},
		"orphaned":   {"A payment of HK$88.00 belongs to no order", "Shop’s number: shop-77", "QFPay’s number of the payment: 20261122000200020081234569"},
		"stuck":      {"A refund of HK$50.00 is stuck", "Refund: r1", "QFPay’s code: 1143"},
		"differs":    {"Differences with the gateway on 2026-11-23: 60", "- payment 20261123000200020081234569 of HKD 88.00 is no order here", "and 58 more"},
		"incomplete": {"The comparison of 2026-11-23 could not be completed", "it took too long"},
		"gave up":    {"Not delivered: order.paid", "Recipient: https://programs.example.com/paid", "Attempts: 10", "Last error: answered 500"},
	} {
		t.Run(name, func(t *testing.T) {
			s := samples()[name]
			r := sent(t, owner(t, ""), s.kind, s.data)
			assert.Equal(t, want[0], r.subject(t))
			for _, text := range want[1:] {
				assert.Contains(t, r.plain, text)
			}
		})
	}
	r := sent(t, owner(t, "zh-Hant"), KindPaid, `{`+sampleOrder+`}`)
	assert.Equal(t, "已付款：HK$256.00，Cat food and 1 more", r.subject(t))
}

func TestTheHeadersOfAMail(t *testing.T) {
	told := sent(t, owner(t, ""), KindPaid, `{`+sampleOrder+`}`)
	for name, want := range map[string]string{
		"From":           "Harbour Pets 海港宠物 <shop@example.com>",
		"To":             "<owner@example.com>",
		"Reply-To":       "<payer@example.com>",
		"Date":           "Mon, 23 Nov 2026 10:04:05 +0000",
		"Auto-Submitted": "auto-generated",
		"Mime-Version":   "1.0",
	} {
		got, err := new(mime.WordDecoder).DecodeHeader(told.Get(name))
		require.NoError(t, err)
		assert.Equal(t, want, strings.ReplaceAll(got, `"`, ""), name)
	}
	for _, name := range []string{"User-Agent", "X-Mailer", "Cc", "Bcc"} {
		assert.Empty(t, told.Get(name), name)
	}
	receipt := sent(t, payer(t), KindPaid, `{`+sampleOrder+`}`)
	assert.Equal(t, "<payer@example.com>", receipt.Get("To"))
	assert.Empty(t, receipt.Get("Reply-To"), "an answer goes to the sender")
	assert.Equal(t, "<msg_01KAR4ZV8N6Q2W3E4R5T6Y7X8J_paid.mail-payer@example.com>", receipt.Get("Message-Id"))
	assert.NotEqual(t, receipt.Get("Message-Id"), told.Get("Message-Id"))
	assert.Equal(t, receipt.Get("Message-Id"), sent(t, payer(t), KindPaid, `{`+sampleOrder+`}`).Get("Message-Id"), "the same at every attempt")
}

// hostile are texts of people who want to write headers, addresses, markup or
// templates of their own.
var hostile = []string{
	"x\r\nBcc: evil@example.com",
	"x\nBcc: evil@example.com\n\n<script>alert(1)</script>",
	"x\rBcc: evil@example.com",
	"x\u2028Bcc: evil@example.com\u0085Cc: evil@example.com",
	"=?utf-8?q?x=0D=0ABcc:_evil@example.com?=",
	`"><img src=http://evil.example/p.png>{{.Fields}}`,
	"\x00\x1b[31m\u202eevil",
	"\xff\xfe broken",
	strings.Repeat("長", 400),
	strings.Repeat("a", 4000),
	strings.Repeat("word ", 400),
	".\r\n.\r\nQUIT",
	"%s%d%!n(EXTRA)",
}

func TestNoTextOfAnybodysCanWriteAHeaderOrMarkup(t *testing.T) {
	for _, text := range hostile {
		data, err := json.Marshal(map[string]any{
			"order": text, "amount": 12800, "currency": "HKD", "description": text, "ref": text, "method": text, "syssn": text, "late": true,
			"items":  []map[string]any{{"name": text, "quantity": 2, "price": 6400}},
			"fields": map[string]any{"email": "payer@example.com", "name": text, "several": []string{text, text}}, "locale": text, "note": text,
			"gateway": map[string]any{"syssn": text, "amount": 1, "currency": text}, "out_trade_no": text, "notify_type": text,
			"refund": map[string]any{"refund_id": text, "respcd": text, "out_trade_no": text}, "day": text, "problem": text, "differences": 2,
			"findings": []map[string]any{{"text": text}}, "endpoint": text, "event": text, "error": text,
		})
		require.NoError(t, err)
		m, err := New(Config{
			URL: "smtp://localhost", From: "shop@example.com", To: []string{"owner@example.com"}, Receipt: "email", Merchant: text,
			OrderURL: func(order string) string { return "https://shop.example/" + order }, ReceiptURL: func(order string) string { return order },
		})
		require.NoError(t, err)
		for _, e := range m.Endpoints() {
			for _, kind := range append(ownersKinds, payersKinds...) {
				if !e.wants(kind) {
					continue
				}
				r := sent(t, e, kind, string(data))
				for _, name := range []string{"Bcc", "Cc"} {
					assert.NotContains(t, r.Header, name)
				}
				to, err := r.AddressList("To")
				require.NoError(t, err)
				require.Len(t, to, 1)
				from, err := r.AddressList("From")
				require.NoError(t, err)
				require.Len(t, from, 1)
				assert.Equal(t, "shop@example.com", from[0].Address)
				assert.NotContains(t, r.subject(t), "\n")
				assert.NotContains(t, r.source, "<img")
				assert.NotContains(t, r.source, "<script")
				assert.NotContains(t, r.plain+r.html, "\u202e")
				assert.NotContains(t, r.plain+r.html, "\x1b")
				assert.Less(t, len(r.raw), 200<<10)
			}
		}
	}
}

func TestTheLinesOfAPayersTextStayBelowTheirLabel(t *testing.T) {
	r := sent(t, owner(t, ""), KindPaid, `{"order":"01KAR4ZV8N6Q2W3E4R5T6Y7X8J","amount":100,"currency":"HKD","fields":{"note":"x\n\nRefunded: HK$500\r\nOrder: other"}}`)
	assert.Contains(t, r.plain, "Note: x\n    \n    Refunded: HK$500\n    Order: other\n")
}

func TestSeveralValuesOfAFieldAreKept(t *testing.T) {
	r := sent(t, owner(t, ""), KindPaid, `{"order":"01KAR4ZV8N6Q2W3E4R5T6Y7X8J","amount":100,"currency":"HKD","fields":{"size":["S","M"]}}`)
	assert.Contains(t, r.plain, "size: S\n    M\n")
}

func TestWhatCannotBeWrittenIsRefusedWithoutShowingIt(t *testing.T) {
	for name, test := range map[string]struct {
		to      *Endpoint
		message Message
		want    string
	}{
		"no address":      {payer(t), Message{ID: "m", Kind: KindPaid, Data: json.RawMessage(`{"order":"SENTINEL"}`)}, "the field for the receipt has no mail address"},
		"a bad address":   {payer(t), Message{ID: "m", Kind: KindPaid, Data: json.RawMessage(`{"fields":{"email":"SENTINEL@x"}}`)}, "the field for the receipt has no mail address"},
		"no data":         {payer(t), Message{ID: "m", Kind: KindPaid}, "the event's data is not what a mail can be written from"},
		"other data":      {owner(t, ""), Message{ID: "m", Kind: KindPaid, Data: json.RawMessage(`{"amount":"SENTINEL"}`)}, "the event's data is not what a mail can be written from"},
		"an unknown kind": {owner(t, ""), Message{ID: "m", Kind: "order.closed", Data: json.RawMessage(`{}`)}, "there is no mail about this event"},
		"an owner's kind": {payer(t), Message{ID: "m", Kind: KindDisputed, Data: json.RawMessage(`{}`)}, "there is no mail about this event"},
		"a hostile id":    {owner(t, ""), Message{ID: "m>\r\nBcc: SENTINEL", Kind: KindPaid, Data: json.RawMessage(`{}`)}, errMessageID.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			result := test.to.Send(t.Context(), test.message)
			assert.EqualError(t, result.Err, test.want)
			assert.True(t, result.Final, "no attempt will be better")
			assert.False(t, result.Delivered)
		})
	}
}
