package qfpayjsapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"text/tabwriter"

	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/spf13/cobra"
)

func init() {
	caddycmd.RegisterCommand(caddycmd.Command{
		Name:  "qfpay-jsapi",
		Usage: "orders|show|refund|query|close|export|invoice|doctor [flags]",
		Short: "Works with the orders of qfpay_jsapi shops",
		Long: `
Works with the orders of the qfpay_jsapi shops of the Caddy that runs on this
machine, through its admin API. Amounts are decimals of the shop's currency,
days are those of the shop (UTC+8), and times are shown in the local zone.

Exit codes: 0 for success, 1 for failure, 3 when the outcome is not known yet or
the doctor found something wrong.`,
		CobraFunc: func(cmd *cobra.Command) {
			flags := cmd.PersistentFlags()
			flags.String("address", "", "The address of Caddy's admin API, if not the default")
			flags.StringP("config", "c", "", "Configuration file in which the address of the admin API stands, if --address is not used")
			flags.StringP("adapter", "a", "", "Name of the config adapter for --config, if it is no Caddyfile")
			flags.Bool("json", false, "Print JSON, for programs")
			cmd.Args = cobra.NoArgs // otherwise a misspelt command shows the help and succeeds
			cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
			cmd.AddCommand(ordersCommand(), showCommand(), refundCommand(), queryCommand(), closeCommand(),
				exportCommand(), invoiceCommand(), doctorCommand())
		},
	})
}

// console is one run of a command: the Caddy that it asks, and where it prints.
type console struct {
	cmd     *cobra.Command
	address string
	json    bool
}

// undecided is the exit code for an outcome that is not known, and for findings.
const undecided = 3

// run makes a command of a function on a console.
func run(do func(c *console, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		cmd.SilenceUsage = true
		c, err := openConsole(cmd)
		if err != nil {
			return err
		}
		err = do(c, args)
		var ends exit
		if errors.As(err, &ends) {
			cmd.SilenceErrors = true
			return caddycmd.WrapCommandFuncForCobra(func(caddycmd.Flags) (int, error) { return ends.code, nil })(cmd, args)
		}
		return err
	}
}

// exit ends a command that has said everything.
type exit struct{ code int }

func (e exit) Error() string { return fmt.Sprintf("exit code %d", e.code) }

func openConsole(cmd *cobra.Command) (*console, error) {
	flags := cmd.Flags()
	address, _ := flags.GetString("address")
	config, _ := flags.GetString("config")
	adapter, _ := flags.GetString("adapter")
	asJSON, _ := flags.GetBool("json")
	address, err := caddycmd.DetermineAdminAPIAddress(address, nil, config, adapter)
	if err != nil {
		return nil, fmt.Errorf("finding the address of the admin API: %w", err)
	}
	return &console{cmd: cmd, address: address, json: asJSON}, nil
}

// get and post ask the admin API. The answer is read into a value.
func (c *console) get(uri string, into any) error { return c.ask(http.MethodGet, uri, nil, into) }

func (c *console) post(uri string, body, into any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return c.ask(http.MethodPost, uri, bytes.NewReader(raw), into)
}

func (c *console) ask(method, uri string, body io.Reader, into any) error {
	response, err := c.stream(method, uri, body)
	if err != nil {
		return err
	}
	defer response.Close()
	return json.NewDecoder(response).Decode(into)
}

// stream asks the admin API and leaves the reading to the caller.
func (c *console) stream(method, uri string, body io.Reader) (io.ReadCloser, error) {
	response, err := caddycmd.AdminAPIRequest(c.address, method, "/qfpay_jsapi/"+uri, nil, body)
	if err != nil {
		return nil, plainly(err, c.address)
	}
	return response.Body, nil
}

var apiRefusal = regexp.MustCompile(`(?s)HTTP (\d{3}): (\{.*\})`)

// plainly says what the admin API said, or what to do if there is none.
func plainly(err error, address string) error {
	said := apiRefusal.FindStringSubmatch(err.Error())
	var refusal struct {
		Error string `json:"error"`
	}
	switch {
	case said != nil && json.Unmarshal([]byte(said[2]), &refusal) == nil && refusal.Error != "":
		return errors.New(printable(refusal.Error))
	case strings.Contains(err.Error(), "HTTP 404"):
		return fmt.Errorf("the Caddy at %s has no qfpay_jsapi in it: is it another one than this?", address)
	case strings.Contains(err.Error(), "performing request"):
		return fmt.Errorf("no Caddy answers at %s: start it, or say with --address or --config where its admin API is (%w)", address, err)
	default:
		return err
	}
}

func (c *console) out() io.Writer { return c.cmd.OutOrStdout() }

func (c *console) say(format string, args ...any) { fmt.Fprintf(c.out(), format+"\n", args...) }

// note prints what is not part of the result.
func (c *console) note(format string, args ...any) {
	fmt.Fprintf(c.cmd.ErrOrStderr(), format+"\n", args...)
}

func (c *console) printJSON(value any) error {
	lines := json.NewEncoder(c.out())
	lines.SetIndent("", "  ")
	lines.SetEscapeHTML(false)
	return lines.Encode(value)
}

// table prints aligned columns. What comes from payers or the catalogue is
// stripped of control characters, which terminals obey.
func (c *console) table(rows [][]string) error {
	columns := tabwriter.NewWriter(c.out(), 0, 0, 2, ' ', 0)
	for _, row := range rows {
		for i, cell := range row {
			row[i] = printable(cell)
		}
		fmt.Fprintln(columns, strings.TrimRight(strings.Join(row, "\t"), "\t "))
	}
	return columns.Flush()
}

func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u2028' || r == '\u2029' || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069' {
			return ' '
		}
		return r
	}, text)
}
