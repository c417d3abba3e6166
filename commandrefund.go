package qfpayjsapi

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/spf13/cobra"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/checkout"
)

func refundCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "refund <order> [<amount>] [--id <refund_id>] [--yes] [--wait <duration>]",
		Short: "Gives the payer's money back: the amount, or all that is left",
		Long: `Gives the payer's money back: the amount, such as 12.50, or all that is left.

Every refund has an id. If a command was cut off, run it again with the same
--id: it does not refund twice.`,
		Args: cobra.RangeArgs(1, 2),
		RunE: run((*console).refund),
	}
	cmd.Flags().String("id", "", "The refund's id: 1 to 64 of A-Z a-z 0-9 _ . -; default: a new one")
	cmd.Flags().BoolP("yes", "y", false, "Do not ask for confirmation")
	cmd.Flags().Duration("wait", 30*time.Second, "How long to wait for the gateway's last word")
	return cmd
}

func (c *console) refund(args []string) error {
	var order orderDetail
	if err := c.get(orderURI(args[0]), &order); err != nil {
		return err
	}
	id := c.refundID()
	asked := map[string]any{"refund_id": id}
	amount := order.Left
	if len(args) == 2 {
		minor, err := checkout.ParsePrice(args[1], order.Currency)
		if err != nil {
			return fmt.Errorf("the amount: %w", err)
		}
		amount, asked["amount"] = minor, minor
	}
	moves := amount > 0 && !slices.ContainsFunc(order.Refunds, func(r refundView) bool { return r.RefundID == id })
	if moves {
		if err := c.confirm(fmt.Sprintf("Refund %s of order %s (%s, %s)?", money(displayAmount(amount, order.Currency), order.Currency),
			order.Order, printable(order.Description), money(order.DisplayAmount, order.Currency))); err != nil {
			return err
		}
	}
	if !c.json {
		c.note("Refund %s", id)
	}
	var view refundView
	if err := c.post(orderURI(order.Order, "refund"), asked, &view); err != nil {
		return err
	}
	view, err := c.awaitRefund(view)
	if err != nil {
		return err
	}
	return c.printRefund(view)
}

func (c *console) refundID() string {
	if id, _ := c.cmd.Flags().GetString("id"); id != "" {
		return id
	}
	return ulid.Make().String()
}

// confirm asks a person before money moves.
func (c *console) confirm(question string) error {
	if yes, _ := c.cmd.Flags().GetBool("yes"); yes {
		return nil
	}
	fmt.Fprint(c.cmd.ErrOrStderr(), question+" [y/N] ")
	answer, err := bufio.NewReader(io.LimitReader(c.cmd.InOrStdin(), 100)).ReadString('\n')
	if answer = strings.ToLower(strings.TrimSpace(answer)); answer == "y" || answer == "yes" {
		return nil
	}
	if err != nil && answer == "" {
		c.note("")
		return errors.New("nothing was refunded: nobody confirmed it; add --yes where nobody can be asked")
	}
	return errors.New("nothing was refunded")
}

// awaitRefund looks every now and then until the outcome is known.
func (c *console) awaitRefund(view refundView) (refundView, error) {
	wait, _ := c.cmd.Flags().GetDuration("wait")
	for end := time.Now().Add(wait); view.Status == "pending" && time.Now().Before(end); {
		c.note("The gateway is still at it …")
		select {
		case <-c.cmd.Context().Done():
			return view, c.cmd.Context().Err()
		case <-time.After(min(2*time.Second, time.Until(end))):
		}
		var order orderDetail
		if err := c.get(orderURI(view.Order), &order); err != nil {
			return view, err
		}
		for _, refund := range order.Refunds {
			if refund.RefundID == view.RefundID {
				view = refund
			}
		}
	}
	return view, nil
}

func (c *console) printRefund(view refundView) error {
	if c.json {
		if err := c.printJSON(view); err != nil {
			return err
		}
	}
	what := money(view.DisplayAmount, view.Currency)
	switch view.Status {
	case "done":
		if !c.json {
			c.say("Refunded %s of order %s.", what, view.Order)
		}
		return nil
	case "refused":
		return fmt.Errorf("the refund was refused, and no money went back: %s%s", printable(view.Reason), inBrackets(view.Respcd))
	default:
		c.note("The gateway has not said yet whether %s went back. Caddy goes on asking; look again with: caddy qfpay-jsapi show %s", what, view.Order)
		return exit{undecided}
	}
}
