package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/spf13/cobra"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/backoffice"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/shop"
)

func refundCommand(connect Connect) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "refund <order> [<amount>] [--id <refund_id>] [--yes] [--wait <duration>]",
		Short: "Refunds an order: the amount, or all that is left",
		Long: `Refunds an order: the amount, such as 12.50, or all that is left.

Every refund has an id. If a command was interrupted, run it again with the same
--id: nothing is refunded twice.`,
		Args: cobra.RangeArgs(1, 2),
		RunE: connect.run((*console).refund),
	}
	cmd.Flags().String("id", "", "The refund's id: 1 to 64 of A-Z a-z 0-9 _ . -, neither . nor - in front; default: a new one")
	cmd.Flags().BoolP("yes", "y", false, "Do not ask for confirmation")
	cmd.Flags().Duration("wait", 30*time.Second, "How long to wait for the outcome")
	return cmd
}

func (c *console) refund(args []string) error {
	var order backoffice.Detail
	if err := c.get(orderURI(args[0]), &order); err != nil {
		return err
	}
	id := c.refundID()
	made := slices.IndexFunc(order.Refunds, func(r backoffice.RefundView) bool { return r.RefundID == id })
	amount, err := amountOf(args, order, made)
	if err != nil {
		return err
	}
	if made < 0 {
		if err := c.confirm(fmt.Sprintf("Refund %s of order %s (%s, %s)?", money(backoffice.DisplayAmount(amount, order.Currency), order.Currency),
			order.Order, backoffice.Printable(order.Description), money(order.DisplayAmount, order.Currency))); err != nil {
			return err
		}
	}
	view, err := c.requestRefund(order.Order, id, amount)
	if err != nil {
		return err
	}
	c.note("Refund %s", id)
	if view, err = c.awaitRefund(view); err != nil {
		return err
	}
	return c.printRefund(view, made >= 0)
}

// requestRefund asks for a refund. Where Caddy does not answer, or somebody interrupts
// the command, it may have been made all the same: the error then has the id under
// which it is safe to ask again.
func (c *console) requestRefund(order, id string, amount int64) (view backoffice.RefundView, err error) {
	before := c.cmd.Context()
	ctx, stop := signal.NotifyContext(before, os.Interrupt, syscall.SIGTERM)
	defer stop()
	c.cmd.SetContext(ctx)
	defer c.cmd.SetContext(before)
	err = c.post(orderURI(order, "refund"), map[string]any{"refund_id": id, "amount": amount}, &view)
	refused, isRefused := errors.AsType[denial](err)
	switch {
	case err == nil, isRefused && refused.status < http.StatusInternalServerError:
		return view, err
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	}
	return view, fmt.Errorf("it is not known whether the refund was made: run the command again with --id %s (%w)", id, err)
}

// amountOf is what is to go back, in minor units: what was typed; or else the
// amount of the refund that was made already, if one was; or else all that is left
// now. It is sent as it is shown, because more may be left a moment later.
func amountOf(args []string, order backoffice.Detail, made int) (int64, error) {
	switch {
	case len(args) == 2:
		amount, err := shop.ParseAmount(args[1], order.Currency)
		if err != nil {
			return 0, fmt.Errorf("the amount: %w", err)
		}
		if made >= 0 && amount != order.Refunds[made].Amount {
			before := order.Refunds[made]
			return 0, fmt.Errorf("the refund %s already exists, over %s: give another --id for another refund",
				before.RefundID, money(backoffice.DisplayAmount(before.Amount, order.Currency), order.Currency))
		}
		return amount, nil
	case made >= 0:
		return order.Refunds[made].Amount, nil
	case order.Left > 0:
		return order.Left, nil
	case !order.Status.Paid():
		return 0, fmt.Errorf("the order is %s: only a paid one can be refunded", order.Status)
	case order.Refunding:
		return 0, errors.New("nothing is left to refund of this order: a refund is on its way")
	default:
		return 0, errors.New("nothing is left to refund of this order")
	}
}

func (c *console) refundID() string {
	if id := c.text("id"); id != "" {
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
		return errors.New("nothing was refunded, because nobody confirmed it: add --yes in scripts")
	}
	return errors.New("nothing was refunded")
}

// awaitRefund asks every two seconds until the outcome is known, for as long as --wait
// says.
func (c *console) awaitRefund(view backoffice.RefundView) (backoffice.RefundView, error) {
	wait, _ := c.cmd.Flags().GetDuration("wait")
	for end := time.Now().Add(wait); view.Status == "pending" && time.Now().Before(end); {
		c.note("Waiting for the gateway …")
		select {
		case <-c.cmd.Context().Done():
			return view, c.cmd.Context().Err()
		case <-time.After(min(2*time.Second, time.Until(end))):
		}
		var order backoffice.Detail
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

// printRefund says how a refund ended, and whether it is one that was made before.
func (c *console) printRefund(view backoffice.RefundView, again bool) error {
	if c.json {
		if err := c.printJSON(view); err != nil {
			return err
		}
	}
	what := money(view.DisplayAmount, view.Currency)
	switch view.Status {
	case "done":
		switch {
		case c.json:
		case again:
			c.say("Refund %s was made before: %s of order %s. Nothing more was refunded.", view.RefundID, what, view.Order)
		default:
			c.say("Refunded %s of order %s.", what, view.Order)
		}
		return nil
	case "refused":
		return fmt.Errorf("the refund was refused, and no money was returned: %s%s", backoffice.Printable(view.Reason), backoffice.InBrackets(view.Respcd))
	default:
		c.note("It is not known yet whether %s was refunded. Caddy keeps asking the gateway; see how it ended with: caddy qfpay-jsapi show %s", what, view.Order)
		return Undecided
	}
}
