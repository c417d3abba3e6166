package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/backoffice"
)

func compareCommand(connect Connect) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "compare [--from <day>] [--to <day>] [--name <shop>]",
		Short: "Compares the ledger with the gateway's own list of trades; by default, yesterday's",
		Long: `Compares the ledger with the gateway's own list of trades, day by day, for up to
31 days. Payments and refunds that only the gateway knew of are added to the
ledger; any other difference is reported and left as it is. Caddy makes the same
comparison every night.

Exit codes: 0 if nothing differs, 1 on failure, 3 if something differs or the
comparison is incomplete.`,
		Args: cobra.NoArgs,
		RunE: connect.run((*console).compare),
	}
	cmd.Flags().String("from", "", "First day, such as 2026-11-23; default: the last day")
	cmd.Flags().String("to", "", "Last day; default: yesterday")
	cmd.Flags().String("name", "", "Only the account of this shop; default: all accounts")
	return cmd
}

func (c *console) compare([]string) error {
	var found backoffice.CompareAnswer
	asked := backoffice.CompareRequest{From: c.text("from"), To: c.text("to"), Name: c.text("name")}
	if err := c.post("compare", asked, &found); err != nil {
		return err
	}
	if c.json {
		if err := c.printJSON(found); err != nil {
			return err
		}
	} else {
		if err := c.printComparison(found); err != nil {
			return err
		}
	}
	if found.Differences > 0 || found.Problem != "" {
		return Undecided
	}
	return nil
}

// printComparison prints two lines for each difference: what, and what to do.
func (c *console) printComparison(found backoffice.CompareAnswer) error {
	days := found.From
	if found.To != found.From {
		days += " to " + found.To
	}
	c.say("%s: payments and refunds: %d at the gateway, %d in the ledger.", days, found.Trades, found.Here)
	for _, one := range found.Findings {
		c.say("")
		c.say("%-15s %s  %s", one.Kind, subject(one), amounts(one))
		if err := c.fold(fmt.Sprintf("%-15s ", ""), backoffice.Printable(one.Text)); err != nil {
			return err
		}
	}
	c.say("")
	switch more := found.Differences - len(found.Findings); {
	case found.Differences == 0 && found.Problem == "":
		c.say("Nothing differs.")
	case more > 0:
		c.say("Differences: %d; the first %d are shown.", found.Differences, len(found.Findings))
	default:
		c.say("Differences: %d.", found.Differences)
	}
	if found.Problem != "" {
		c.note("The comparison is incomplete: %s.", backoffice.Printable(found.Problem))
	}
	return nil
}

// subject names what a difference is about.
func subject(one backoffice.FindingView) string {
	text := one.Order
	if text == "" {
		text = fmt.Sprintf("no order (%s)", one.OutTradeNo)
	}
	return backoffice.Printable(text + "  syssn " + one.Syssn)
}

func amounts(one backoffice.FindingView) string {
	return fmt.Sprintf("there %s, here %s", side(one.There, one.DisplayThere, one.Currency), side(one.Here, one.DisplayHere, one.Currency))
}

func side(amount int64, display, currency string) string {
	if amount == 0 {
		return "nothing"
	}
	return backoffice.Printable(money(display, currency))
}
