package cli_test

import (
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/cli"
)

// runAt runs a command on a terminal of some columns, and returns what it shows.
func (c *caddy) runAt(t *testing.T, columns uint16, args ...string) string {
	t.Helper()
	ours, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	require.NoError(t, err)
	defer ours.Close()
	require.NoError(t, unix.IoctlSetPointerInt(int(ours.Fd()), unix.TIOCSPTLCK, 0))
	number, err := unix.IoctlGetInt(int(ours.Fd()), unix.TIOCGPTN)
	require.NoError(t, err)
	terminal, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	require.NoError(t, unix.IoctlSetWinsize(int(terminal.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Col: columns, Row: 50}))
	shown := make(chan string)
	go func() {
		text, _ := io.ReadAll(ours) // ends with an error when nobody writes any more
		shown <- strings.ReplaceAll(string(text), "\r\n", "\n")
	}()
	parent := &cobra.Command{Use: "qfpay-jsapi", SilenceErrors: true}
	cli.Add(parent, func(*cobra.Command) (cli.Client, error) { return c, nil })
	parent.SetOut(terminal)
	parent.SetErr(terminal)
	parent.SetArgs(args)
	_ = parent.ExecuteContext(t.Context())
	require.NoError(t, terminal.Close())
	return <-shown
}

func TestTheQRCodeIsForTerminalsThatCanShowIt(t *testing.T) {
	c := &caddy{answers: map[string]answer{
		"GET /qfpay_jsapi/shops":     {body: `{"shops":[{"name":"pets","currency":"HKD","invoices":true}]}`},
		"POST /qfpay_jsapi/invoices": {body: `{"url":"https://shop.example/pay?invoice=t","token":"t"}`},
	}}
	const link = "https://shop.example/pay?invoice=t\n"
	for name, test := range map[string]struct {
		columns uint16
		noColor string
		escapes bool
		says    string
	}{
		"a usual one":          {80, "", true, "█"},
		"one without colours":  {80, "1", false, "█"},
		"one that is narrow":   {20, "", false, "The QR code needs a terminal that is 33 columns wide.\n"},
		"one of unknown width": {0, "", false, ""},
	} {
		t.Setenv("NO_COLOR", test.noColor)
		t.Setenv("TERM", "xterm")
		shown := c.runAt(t, test.columns, "invoice", "99", "Visit")
		assert.Equal(t, test.escapes, strings.Contains(shown, "\x1b["), name)
		assert.Contains(t, shown, test.says, name)
		assert.True(t, strings.HasSuffix(shown, link), name)
	}
}

func TestLongTextIsFoldedOnNarrowTerminals(t *testing.T) {
	c := &caddy{answers: map[string]answer{
		"POST /qfpay_jsapi/doctor": {body: `{"findings":[{"shop":"Pets /pay","check":"public URL","status":"warning","found":"not set",
			"advice":"Set public_url, so that the address does not depend on the request."}]}`},
		"GET /qfpay_jsapi/stock": {body: `{"stock":[{"item":"a","available":1,"reserved":0,"counted_at":"2026-11-23T00:00:00Z","shop":"猫粮","name":"A name that is longer than the terminal"},
			{"item":"b","available":1,"reserved":0,"counted_at":"2026-11-23T00:00:00Z","shop":"p","name":"Cat"}]}`},
	}}
	const head = "ITEM  AVAILABLE  RESERVED  COUNTED              SHOP  NAME\n"
	for name, test := range map[string]struct {
		columns uint16
		args    string
		shown   string
	}{
		"the doctor's advice": {64, "doctor", `Pets /pay
  WARNING  public URL       not set
                            → Set public_url, so that the
                              address does not depend on the
                              request.
`},
		"a table's last column": {80, "stock", head +
			"a     1          0         2026-11-23 00:00:00  猫粮  A name that is longer than\n" + strings.Repeat(" ", 54) + "the terminal\n" +
			"b     1          0         2026-11-23 00:00:00  p     Cat\n"},
		"a table wider than the terminal": {60, "stock", head +
			"a     1          0         2026-11-23 00:00:00  猫粮  A name that is longer than the terminal\n" +
			"b     1          0         2026-11-23 00:00:00  p     Cat\n"},
	} {
		assert.Equal(t, test.shown, c.runAt(t, test.columns, test.args), name)
	}
}
