package pages

import (
	"fmt"
	"image"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"rsc.io/qr"
)

func TestSeconds(t *testing.T) {
	for d, want := range map[time.Duration]int{
		-time.Second: 0, 0: 0, 1: 1, time.Second: 1, time.Second + 1: 2, time.Minute: 60,
	} {
		assert.Equal(t, want, seconds(d), d)
	}
}

func TestCodeIsTheMatrixWithAQuietZone(t *testing.T) {
	for link, level := range map[string]qr.Level{
		"HTTPS://A.EXAMPLE": qr.M, "https://shop.example/pay/cat-food?quantity=2": qr.M, "https://shop.example/" + strings.Repeat("长", 200): qr.L,
	} {
		want, err := qr.Encode(link, level)
		require.NoError(t, err)
		got := newCode(link)
		require.Equal(t, want.Size+8, got.Side)
		dark := drawn(t, got.Path)
		for y := range got.Side {
			for x := range got.Side {
				require.Equal(t, want.Black(x-4, y-4), dark[image.Pt(x, y)], "%d %d", x, y)
			}
		}
	}
}

func TestTheCodeOfALinkThatIsNotTooLongIsSmall(t *testing.T) {
	for length := 1; length <= MaxCodeLink; length++ {
		require.LessOrEqual(t, newCode(strings.Repeat("a", length)).Side, 57, length)
	}
	assert.Greater(t, newCode(strings.Repeat("a", MaxCodeLink+1)).Side, 57)
}

// drawn returns the modules that path fills.
func drawn(t *testing.T, path string) map[image.Point]bool {
	t.Helper()
	dark := map[image.Point]bool{}
	for bar := range strings.SplitSeq(strings.TrimSuffix(path, "z"), "z") {
		var x, y, width, back int
		n, err := fmt.Sscanf(bar, "M%d %dh%dv1h-%d", &x, &y, &width, &back)
		require.NoError(t, err)
		require.Equal(t, 4, n)
		require.Equal(t, width, back)
		for i := range width {
			dark[image.Pt(x+i, y)] = true
		}
	}
	return dark
}

func TestCodeInThePageIsDarkOnWhite(t *testing.T) {
	link := "https://shop.example/pay/cat-food?quantity=2"
	body := write(t, "en", Handoff{Link: link}).Body.String()
	assert.Contains(t, body, `<path fill="#fff"`)
	assert.Contains(t, body, `<path fill="#000" d="`+newCode(link).Path+`"`)
}

func TestKinds(t *testing.T) {
	statuses := map[Kind]int{
		NothingChosen: 400, BadQuantity: 400, BadRef: 400, BadHost: 400, MissingCode: 400, OtherBrowser: 403, UnknownItem: 404,
		UnknownOrder: 404, WrongMethod: 405, Expired: 410, TooLarge: 413, WrongType: 415, TooMany: 429,
		GatewayRefused: 502, PayerRefused: 502, GatewayBroke: 502, CodeRefused: 502, LedgerDown: 503, GatewayBusy: 503,
		GatewaySilent: 504, Internal: 500,
		BadCart: 400, BadLink: 400, UnknownWallet: 400, WrongInvoice: 400, BadAmount: 400, BadField: 400, BadRealName: 400, BadInvoice: 403, InvoiceEarly: 403, TakenElsewhere: 403,
		InvoiceExpired: 410, InvoiceUsed: 410, SoldOut: 409,
	}
	require.Len(t, Kinds(), len(statuses))
	sentences := map[string]bool{}
	for _, k := range Kinds() {
		assert.Equal(t, statuses[k], k.Status(), k)
		assert.False(t, sentences[k.Error()], "%s twice", k.Error())
		sentences[k.Error()] = true
	}
	assert.EqualError(t, UnknownItem, "unknown item")
	assert.Equal(t, 500, Kind("other").Status())
	assert.EqualError(t, Kind("other"), Internal.Error())
}
