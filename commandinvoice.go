package qfpayjsapi

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"rsc.io/qr"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/checkout"
)

func invoiceCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "invoice <amount> <text> [--ref <text>] [--expires <duration or time>] [--uses <n>] [--public-url <URL>]",
		Short: "Makes a signed link that asks for a payment, and its QR code",
		Args:  cobra.ExactArgs(2),
		RunE:  run((*console).invoice),
	}
	cmd.Flags().String("id", "", "Names the invoice: 1 to 64 of A-Z a-z 0-9 _ -; default: a new one")
	cmd.Flags().String("ref", "", "The shop's own reference, at most 64 characters")
	cmd.Flags().String("expires", "", "When the link ends: a time such as 72h or 30d, or a moment such as 2026-12-31T18:00:00+08:00; default: never")
	cmd.Flags().Int("uses", 1, "How often it may be paid; 0 without limit")
	cmd.Flags().String("public-url", "", "The site, such as https://shop.example; default: the block's public_url")
	cmd.Flags().String("name", "", "The ledger, if several shops take invoices")
	cmd.Flags().Bool("no-qr", false, "Print the link alone")
	return cmd
}

func (c *console) invoice(args []string) error {
	flags := c.cmd.Flags()
	name, _ := flags.GetString("name")
	shop, err := c.invoicingShop(name)
	if err != nil {
		return err
	}
	amount, err := checkout.ParsePrice(args[0], shop.Currency)
	if err != nil {
		return fmt.Errorf("the amount: %w", err)
	}
	wanted := map[string]any{"amount": amount, "currency": shop.Currency, "text": args[1], "name": shop.Name}
	for flag, member := range map[string]string{"id": "id", "ref": "ref", "public-url": "public_url"} {
		if value, _ := flags.GetString(flag); value != "" {
			wanted[member] = value
		}
	}
	wanted["uses"], _ = flags.GetInt("uses")
	if expires, _ := flags.GetString("expires"); expires != "" {
		if wanted["expires"], err = moment(expires, time.Now()); err != nil {
			return err
		}
	}
	var made struct {
		URL   string `json:"url"`
		Token string `json:"token"`
	}
	if err := c.post("invoices", wanted, &made); err != nil {
		return err
	}
	if c.json {
		return c.printJSON(made)
	}
	if plain, _ := flags.GetBool("no-qr"); !plain {
		if err := c.printCode(made.URL); err != nil {
			return err
		}
	}
	c.say("%s", made.URL)
	return nil
}

func (c *console) invoicingShop(name string) (shopView, error) {
	var all struct {
		Shops []shopView `json:"shops"`
	}
	if err := c.get("shops", &all); err != nil {
		return shopView{}, err
	}
	found, names := shopView{}, []string{}
	for _, shop := range all.Shops {
		if shop.Invoices && (name == "" || name == shop.Name) && !slices.Contains(names, shop.Name) {
			found, names = shop, append(names, shop.Name)
		}
	}
	switch len(names) {
	case 0:
		return shopView{}, errors.New("no shop takes invoices: set invoice_key in its qfpay_jsapi block")
	case 1:
		return found, nil
	default:
		return shopView{}, fmt.Errorf("several shops take invoices: say with --name which of the ledgers is meant, %s", strings.Join(names, " or "))
	}
}

// moment reads a time to go, such as 72h or 30d, or a moment.
func moment(text string, now time.Time) (time.Time, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		text = days + "h"
		if span, err := time.ParseDuration(text); err == nil && span > 0 {
			return now.Add(24 * span).UTC().Truncate(time.Second), nil
		}
	}
	if span, err := time.ParseDuration(text); err == nil && span > 0 {
		return now.Add(span).UTC().Truncate(time.Second), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, fmt.Errorf("--expires %q is neither a time to go such as 72h or 30d nor a moment such as 2026-12-31T18:00:00+08:00", text)
	}
	return at, nil
}

// printCode draws a QR code with half blocks, two modules above each other in
// one character, dark on light whatever the terminal's colours.
func (c *console) printCode(link string) error {
	code, err := qr.Encode(link, qr.L)
	if err != nil {
		c.note("The link is too long for a QR code.")
		return nil
	}
	const quiet = 2
	dark := func(x, y int) bool { return code.Black(x, y) }
	var picture strings.Builder
	for y := -quiet; y < code.Size+quiet; y += 2 {
		picture.WriteString("\x1b[38;5;16;48;5;231m")
		for x := -quiet; x < code.Size+quiet; x++ {
			picture.WriteString(map[[2]bool]string{
				{false, false}: " ", {true, false}: "▀", {false, true}: "▄", {true, true}: "█",
			}[[2]bool{dark(x, y), dark(x, y+1)}])
		}
		picture.WriteString("\x1b[0m\n")
	}
	_, err = fmt.Fprint(c.out(), picture.String())
	return err
}
