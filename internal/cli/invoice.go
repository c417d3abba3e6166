package cli

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/backoffice"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/shop"
)

func invoiceCommand(connect Connect) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "invoice <amount> <text> [--ref <text>] [--name <shop>] [--path <path>] [--expires <duration or time>] [--uses <n>] [--public-url <URL>]",
		Short: "Makes a signed link that asks for a payment, and its QR code on a terminal",
		Args:  cobra.ExactArgs(2),
		RunE:  connect.run((*console).invoice),
	}
	cmd.Flags().String("id", "", "The invoice's id: 1 to 64 of A-Z a-z 0-9 _ -; default: a new one")
	cmd.Flags().String("ref", "", "The shop's own reference, up to 64 characters")
	cmd.Flags().String("expires", "", "When the link expires: after 72h or 30d, or at 2026-12-31T18:00:00+08:00; default: never")
	cmd.Flags().Int("uses", 1, "How many times it can be paid; 0 for no limit")
	cmd.Flags().String("public-url", "", "The site, such as https://shop.example; default: public_url of the configuration")
	cmd.Flags().String("name", "", "The shop, if several take invoices")
	cmd.Flags().String("path", "", "The pay path, such as /pay, if the shop has several; default: its first")
	cmd.Flags().Bool("no-qr", false, "Print only the link")
	return cmd
}

func (c *console) invoice(args []string) error {
	wanted, err := c.wantedInvoice(args[0], args[1])
	if err != nil {
		return err
	}
	var made backoffice.InvoiceAnswer
	if err := c.post("invoices", wanted, &made); err != nil {
		return err
	}
	if c.json {
		return c.printJSON(made)
	}
	if plain, _ := c.cmd.Flags().GetBool("no-qr"); !plain {
		if err := c.printCode(made.URL); err != nil {
			return err
		}
	}
	c.say("%s", made.URL)
	return nil
}

// wantedInvoice reads the arguments and flags. The amount is a decimal of the
// shop's currency.
func (c *console) wantedInvoice(decimal, text string) (backoffice.InvoiceRequest, error) {
	block, err := c.invoicingBlock()
	if err != nil {
		return backoffice.InvoiceRequest{}, err
	}
	amount, err := shop.ParseAmount(decimal, block.Currency)
	if err != nil {
		return backoffice.InvoiceRequest{}, fmt.Errorf("the amount: %w", err)
	}
	uses, _ := c.cmd.Flags().GetInt("uses")
	wanted := backoffice.InvoiceRequest{
		ID: c.text("id"), Amount: amount, Currency: block.Currency, Text: text, Ref: c.text("ref"),
		Uses: &uses, Name: block.Name, Path: block.Path, PublicURL: cmp.Or(c.text("public-url"), block.PublicURL),
	}
	if expires := c.text("expires"); expires != "" {
		wanted.Expires, err = moment(expires, time.Now())
	}
	return wanted, err
}

// invoicingBlock is the block that takes invoices: the first of its shop, all of
// which take the same, but at several addresses.
func (c *console) invoicingBlock() (backoffice.Block, error) {
	name, path := c.text("name"), c.text("path")
	var all backoffice.BlocksAnswer
	if err := c.get("shops", &all); err != nil {
		return backoffice.Block{}, err
	}
	found, names, addresses := backoffice.Block{}, []string{}, []string{}
	for _, block := range all.Shops {
		switch {
		case !block.Invoices || name != "" && name != block.Name || path != "" && path != block.Path:
		case !slices.Contains(names, block.Name):
			found, names, addresses = block, append(names, block.Name), append(addresses, block.PublicURL+block.Path)
		case !slices.Contains(addresses, block.PublicURL+block.Path):
			addresses = append(addresses, block.PublicURL+block.Path)
		}
	}
	switch len(names) {
	case 0:
		return backoffice.Block{}, errors.New("no shop takes invoices, or none of this --name and --path: set invoice_key in its qfpay_jsapi block")
	case 1:
		if len(addresses) > 1 && c.text("public-url") == "" {
			c.note("The shop takes invoices at %s. This link is for the first; choose another with --path or --public-url.", strings.Join(addresses, ", "))
		}
		return found, nil
	default:
		return backoffice.Block{}, fmt.Errorf("several shops take invoices: add --name with one of %s", strings.Join(names, ", "))
	}
}

// moment reads a time to go, such as 72h or 30d, or a moment.
func moment(text string, now time.Time) (time.Time, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if span, err := time.ParseDuration(days + "h"); err == nil && span > 0 {
			return now.Add(24 * span).UTC().Truncate(time.Second), nil
		}
	}
	if span, err := time.ParseDuration(text); err == nil && span > 0 {
		return now.Add(span).UTC().Truncate(time.Second), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, fmt.Errorf("--expires %q is neither a length of time such as 72h or 30d nor a date and time such as 2026-12-31T18:00:00+08:00", text)
	}
	return at, nil
}
