package pages

import (
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"
)

// modules matches the part of a page that grows with the pay link.
var modules = regexp.MustCompile(`<path fill="#000" d="[^"]+"|src="data:image/png[^"]+"`)

// balanced matches tags that must be closed.
var balanced = regexp.MustCompile(`<(/?)(html|head|body|div|header|main|footer|h1|p|a|ol|li|dl|dt|dd|form|button|label|svg|bdi|time|title|style|script)\b[^>]*>`)

func TestEveryPageIsSound(t *testing.T) {
	everyPage(t, sampleOrder(), func(t *testing.T, tag string, w *httptest.ResponseRecorder) {
		body := w.Body.String()
		all := elements(t, body)

		assert.True(t, strings.HasPrefix(body, "<!doctype html>\n"))
		assert.Equal(t, tag, attr(named(all, "html")[0], "lang"))
		assert.Len(t, named(all, "main"), 1)
		assert.NotEmpty(t, inner(named(all, "title")[0]))
		require.Len(t, named(all, "h1"), 1)
		assert.NotEmpty(t, strings.TrimSpace(inner(named(all, "h1")[0])))

		seen := map[string]bool{}
		for _, n := range all {
			for _, a := range n.Attr {
				assert.NotEqual(t, "style", a.Key, "inline style")
				assert.False(t, strings.HasPrefix(a.Key, "on"), "inline handler %s", a.Key)
				if a.Key == "id" {
					assert.False(t, seen[a.Val], "id %s twice", a.Val)
					seen[a.Val] = true
				}
				if a.Key == "src" || a.Key == "href" && n.Data == "link" {
					assert.Regexp(t, `^data:(,|image/png;base64,[A-Za-z0-9+/]+=*)$`, a.Val, "external asset")
				}
			}
		}
	})
}

func TestEveryPageClosesWhatItOpens(t *testing.T) {
	everyPage(t, sampleOrder(), func(t *testing.T, _ string, w *httptest.ResponseRecorder) {
		var open []string
		for _, m := range balanced.FindAllStringSubmatch(w.Body.String(), -1) {
			if m[1] == "" {
				open = append(open, m[2])
				continue
			}
			require.NotEmpty(t, open, "</%s> without a start", m[2])
			require.Equal(t, open[len(open)-1], m[2])
			open = open[:len(open)-1]
		}
		assert.Empty(t, open)
	})
}

// A page fits into the first ten packets of a connection, with its headers, also in
// languages whose letters take three bytes.
func TestEveryPageIsSmall(t *testing.T) {
	everyPage(t, sampleOrder(), func(t *testing.T, _ string, w *httptest.ResponseRecorder) {
		assert.LessOrEqual(t, len(modules.ReplaceAllString(w.Body.String(), "")), 10<<10)
	})
}

func TestControlsHaveNames(t *testing.T) {
	everyPage(t, sampleOrder(), func(t *testing.T, _ string, w *httptest.ResponseRecorder) {
		all := elements(t, w.Body.String())
		for _, n := range append(named(all, "a"), named(all, "button")...) {
			assert.NotEmpty(t, strings.TrimSpace(inner(n)))
		}
		for _, n := range named(all, "svg") {
			labelled := attr(n, "role") == "img" && attr(n, "aria-label") != ""
			assert.True(t, labelled || attr(n, "aria-hidden") == "true")
		}
		labels := named(all, "label")
		fields := slices.DeleteFunc(slices.Clone(all), func(n *html.Node) bool {
			return n.Data != "textarea" && (n.Data != "input" || attr(n, "type") == "hidden")
		})
		for i, n := range fields {
			assert.Equal(t, attr(n, "id"), attr(labels[i], "for"))
		}
	})
}

func TestHandoffOnAPhoneHasNoCode(t *testing.T) {
	link := "https://shop.example/pay/cat-food?a=1&b=2"
	all := elements(t, write(t, "en", Handoff{Link: link, Phone: true}).Body.String())
	assert.Empty(t, named(all, "svg"))

	field := named(all, "input")
	require.Len(t, field, 1)
	assert.Equal(t, link, attr(field[0], "value"))
	assert.Contains(t, field[0].Attr, htmlFlag("readonly"))

	button := named(all, "button")
	require.Len(t, button, 1)
	assert.Contains(t, button[0].Attr, htmlFlag("hidden"), "without script there is nothing to press")
}

func TestHandoffWithALinkTooLongForACode(t *testing.T) {
	link := "https://shop.example/pay?invoice=" + strings.Repeat("x", 4000)
	all := elements(t, write(t, "en", Handoff{Link: link}).Body.String())
	assert.Empty(t, named(all, "svg"))
	assert.Len(t, named(all, "input"), 1)
}

func TestWalletsAreNamedAsTheirOwnersWriteThem(t *testing.T) {
	for tag, want := range map[string][]string{
		"en":      {"wechat WeChat Pay", "alipayhk AlipayHK", "unionpay UnionPay", "payme PayMe"},
		"zh-Hans": {"wechat 微信支付", "alipayhk AlipayHK", "unionpay 银联", "payme PayMe"},
		"zh-Hant": {"wechat 微信支付", "alipayhk AlipayHK", "unionpay 銀聯", "payme PayMe"},
	} {
		var wallets []string
		for _, n := range named(elements(t, write(t, tag, sampleWallets(sampleOrder(), false)).Body.String()), "button") {
			if attr(n, "name") == "wallet" {
				wallets = append(wallets, attr(n, "value")+" "+inner(n))
			}
		}
		assert.Equal(t, want, wallets, tag)
	}
}

func TestInsideAnAppTheLinkForTheBrowserComesBeforeTheWallets(t *testing.T) {
	const words = "open it in your browser"
	inApp := write(t, "en", sampleWallets(sampleOrder(), true)).Body.String()
	form, link := strings.Index(inApp, "<form"), strings.Index(inApp, `<input id="link"`)
	assert.Contains(t, inApp[:form], words)
	assert.True(t, 0 < link && link < form)

	browser := write(t, "en", sampleWallets(sampleOrder(), false)).Body.String()
	assert.NotContains(t, browser, words)
	details := strings.Index(browser, "<details")
	assert.Positive(t, details)
	assert.Greater(t, strings.Index(browser, `<input id="link"`), details, "there it is for WeChat alone")
}

func TestConfirmingLooksAgain(t *testing.T) {
	page := Confirming{Order: sampleOrder(), Refresh: 2500 * time.Millisecond, CheckURL: "/pay/return/1?check=4&x=;'", ContinueURL: "/go"}
	all := elements(t, write(t, "en", page).Body.String())
	again := ""
	for _, n := range all {
		if attr(n, "id") == "again" {
			again = attr(n, "data-after") + " " + attr(n, "data-check")
		}
	}
	assert.Equal(t, "3 /pay/return/1?check=4&x=;'", again)
	withoutScript := inner(named(all, "noscript")[0])
	assert.Equal(t, `<meta http-equiv="refresh" content="3;url=/pay/return/1?check=4&amp;x=;&#39;">`, withoutScript)

	var status string
	for _, n := range named(all, "div") {
		if attr(n, "role") == "status" {
			status = inner(n)
		}
	}
	assert.NotRegexp(t, `\d`, status, "nothing is counted")
	assert.Contains(t, status, "safely close this page")
}

func TestConfirmingRests(t *testing.T) {
	body := write(t, "en", Confirming{CheckURL: "/pay/return/1"}).Body.String()
	assert.NotContains(t, body, "http-equiv")
	assert.Contains(t, body, `href="/pay/return/1"`)
	assert.Contains(t, body, "Check again")
}

func TestWhoHasNotPaidHasButtonsToPayAndToGoBack(t *testing.T) {
	page := Unpaid{Order: sampleOrder(), PayURL: "/go", Refresh: 3 * time.Second, CheckURL: "/pay/return/1?check=2", ShopURL: "/"}
	all := elements(t, write(t, "en", page).Body.String())
	assert.Equal(t, "Not paid yet", inner(named(all, "h1")[0]))
	var buttons []string
	for _, n := range named(all, "a") {
		require.Equal(t, "acts", attr(n.Parent, "class"))
		require.NotEqual(t, "quiet", attr(n, "class"))
		buttons = append(buttons, inner(n)+" "+attr(n, "href"))
	}
	assert.Equal(t, []string{"Pay now /go", "Back to the shop /"}, buttons)
	text := inner(named(all, "main")[0])
	assert.Contains(t, text, "This page refreshes automatically.")
	assert.NotContains(t, strings.ToLower(text), "confirming")
	for _, n := range named(all, "svg") {
		assert.NotContains(t, attr(n, "class"), "wait", "nothing turns as if it were being paid")
	}
	assert.Contains(t, inner(named(all, "noscript")[0]), `content="3;url=/pay/return/1?check=2"`)
}

func TestWhoHasNotPaidAndWaitedLongMayCheckAgain(t *testing.T) {
	body := write(t, "en", Unpaid{CheckURL: "/pay/return/1", ShopURL: "/"}).Body.String()
	assert.NotContains(t, body, "http-equiv")
	assert.NotContains(t, body, "refreshes")
	assert.NotContains(t, body, "Pay now", "there is no way back to the payment")
	assert.Contains(t, body, `<a href="/pay/return/1">Check again</a>`)
}

func TestAWrongInputIsMarkedAndSaysWhatIsWrong(t *testing.T) {
	for name, test := range map[string]struct {
		wrong Wrong
		want  string
	}{
		"name":          {Missing, "Please fill this in."},
		"dog_size":      {TooLong, "This is too long. Please use at most 500 characters."},
		"toys":          {TooManyOf, "Too many answers. Please give at most 20."},
		"address":       {NotText, "This contains characters that can’t be used. Please type it again."},
		"email":         {NotEmail, "Please enter an email address, such as name@example.com."},
		"amount":        {OutOfRange, "Please enter an amount from HK$5.00 to HK$1,000.00."},
		"sum":           {NotNumber, "Please enter the amount as a number, such as 5.00."},
		"user_truename": {NotRealName, "Please enter the full name as on the identity card."},
		"user_creid":    {NotIDCard, "This is not a valid identity card number. Please check each digit."},
	} {
		page := Form{Inputs: []Input{{Name: name, Wrong: test.wrong}, {Name: "good"}}, Min: Amount{"5.00", "HKD"}, Max: Amount{"1000.00", "HKD"}}
		sentences := map[string]string{}
		var marked []string
		all := elements(t, write(t, "en", page).Body.String())
		for _, n := range all {
			if attr(n, "class") == "wrong" {
				sentences[attr(n, "id")] = inner(n)
			}
		}
		for _, n := range all {
			if attr(n, "aria-invalid") == "true" {
				marked = append(marked, attr(n, "name")+": "+sentences[attr(n, "aria-describedby")])
			}
		}
		assert.Equal(t, []string{name + ": " + test.want}, marked)
		assert.Len(t, sentences, 1)
	}
}

func TestAnAddressAndANoteHaveSeveralLines(t *testing.T) {
	const typed = "2/F, 1 Harbour Road\nWan Chai </textarea>"
	one := elements(t, write(t, "en", Form{Inputs: []Input{{Name: "name", Value: "Ann"}}}).Body.String())
	assert.Empty(t, named(one, "textarea"))
	for _, name := range []string{"address", "note", "delivery"} { // the last one came from a form of the shop's own
		all := elements(t, write(t, "en", Form{Inputs: []Input{{Name: name, Value: typed, Required: true}}}).Body.String())
		field := named(all, "textarea")
		require.Len(t, field, 1)
		assert.Equal(t, name, attr(field[0], "name"))
		assert.Contains(t, field[0].Attr, htmlFlag("required"))
		assert.Equal(t, typed, inner(field[0]))
	}
}

func TestTheFormForAnAmountSaysSoAndInWhatCurrency(t *testing.T) {
	for tag, want := range map[string][2]string{"en": {"Amount to pay", "Amount (HKD)"}, "zh-Hans": {"支付金额", "金额（HKD）"}, "zh-Hant": {"付款金額", "金額（HKD）"}} {
		all := elements(t, write(t, tag, sampleAmount(sampleOrder(), "")).Body.String())
		assert.Equal(t, want, [2]string{inner(named(all, "h1")[0]), inner(named(all, "label")[0])}, tag)
	}
}

func TestTheHandoffSaysWhatIsTrueWhereItIsShown(t *testing.T) {
	for name, test := range map[string]struct {
		page      Handoff
		has, lack []string
	}{
		"desktop":                {sampleHandoff(sampleOrder(), false, false), []string{"Scan with WeChat to pay"}, []string{"Finish"}},
		"phone":                  {sampleHandoff(sampleOrder(), true, false), []string{"Open this link in WeChat to pay"}, []string{"phone.", "Finish", "Scan with"}},
		"desktop, being paid":    {sampleHandoff(sampleOrder(), false, true), []string{"Finish paying on your phone", "Show the code again"}, []string{"Scan"}},
		"on a phone, being paid": {sampleHandoff(sampleOrder(), true, true), []string{"Finish paying in WeChat", "Show the link again"}, []string{"phone."}},
	} {
		t.Run(name, func(t *testing.T) {
			main := named(elements(t, write(t, "en", test.page).Body.String()), "main")[0]
			for _, text := range append(test.has, "this page shows your receipt", "Please pay by 02:19 (UTC+8).", "Back to the shop") {
				assert.Contains(t, inner(main), text)
			}
			for _, text := range append(test.lack, "Waiting for the phone") {
				assert.NotContains(t, inner(main), text)
			}
		})
	}
}

func TestTheCodeKeepsItsCaptionWhateverIsSold(t *testing.T) {
	for _, order := range []Order{sampleOrder(), sampleCart(sampleOrder())} {
		figure := named(elements(t, write(t, "en", sampleHandoff(order, false, false)).Body.String()), "figure")
		require.Len(t, figure, 1)
		assert.Contains(t, inner(figure[0]), "Once you have paid, this page shows your receipt.")
		assert.Contains(t, inner(figure[0]), "Please pay by")
	}
}

func TestProblemsCarryTheShopAndTheOrder(t *testing.T) {
	o := sampleOrder()
	all := elements(t, write(t, "en", Problem{Order: o, Kind: Expired}).Body.String())
	assert.Equal(t, "This payment has expired · "+o.Merchant, inner(named(all, "title")[0]))
	assert.Equal(t, o.Merchant, inner(named(all, "header")[0]))
	assert.Contains(t, inner(named(all, "footer")[0]), o.ID)
	assert.Empty(t, named(elements(t, write(t, "en", Problem{Order: Order{Merchant: o.Merchant}, Kind: Expired}).Body.String()), "footer"))
}

func TestAReceiptSaysWhatWentBack(t *testing.T) {
	text := inner(named(elements(t, write(t, "en", samples(sampleOrder())["receipt refund"]).Body.String()), "main")[0])
	assert.Contains(t, text, "RefundedHK$28.00")
	assert.NotContains(t, inner(named(elements(t, write(t, "en", samples(sampleOrder())["receipt"]).Body.String()), "main")[0]), "Refunded")
}

func TestCheckingClaimsNothing(t *testing.T) {
	text := strings.ToLower(inner(named(elements(t, write(t, "en", samples(sampleOrder())["checking"]).Body.String()), "main")[0]))
	assert.Contains(t, text, "you have not been charged")
	for _, claim := range []string{"fail", "success", "went wrong", "received"} {
		assert.NotContains(t, text, claim)
	}
}

func TestReceiptSaysEverything(t *testing.T) {
	all := elements(t, write(t, "en", samples(sampleOrder())["receipt"]).Body.String())
	text := inner(named(all, "main")[0])
	for _, part := range []string{"HK$256.00", "Harbour Pets 海港宠物", "Cat food", "Quantity2", "INV-42", "01KAR4ZV8N6Q2W3E4R5T6Y7X8J", "24 November 2026, 02:04 (UTC+8)"} {
		assert.Contains(t, text, part)
	}
	assert.Equal(t, "2026-11-24T02:04:00+08:00", attr(named(all, "time")[0], "datetime"))
}

func TestReceiptSaysWhenTheOrderWasSent(t *testing.T) {
	text := inner(named(elements(t, write(t, "en", samples(sampleOrder())["receipt sent"]).Body.String()), "main")[0])
	for _, part := range []string{"Sent on24 November 2026", "The shop saysSF 1234 5678"} {
		assert.Contains(t, text, part)
	}
}

func TestReceiptLeavesOutWhatIsNotKnown(t *testing.T) {
	text := inner(named(elements(t, write(t, "en", Receipt{Order: Order{Quantity: 1}}).Body.String()), "main")[0])
	for _, part := range []string{"Quantity", "Time", "Reference", "For", "Paid to", "Sent", "says", "1 Jan"} {
		assert.NotContains(t, text, part)
	}
}
