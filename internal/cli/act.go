package cli

import (
	"github.com/spf13/cobra"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/backoffice"
)

func queryCommand(connect Connect) *cobra.Command {
	return &cobra.Command{
		Use: "query <order>", Short: "Asks the gateway about an order and its refunds now",
		Args: cobra.ExactArgs(1), RunE: connect.run(func(c *console, args []string) error { return c.act(args[0], "query") }),
	}
}

func closeCommand(connect Connect) *cobra.Command {
	return &cobra.Command{
		Use: "close <order>", Short: "Closes an unpaid order, so that it can no longer be paid",
		Args: cobra.ExactArgs(1), RunE: connect.run(func(c *console, args []string) error { return c.act(args[0], "close") }),
	}
}

// act has the running Caddy do something about an order, and shows what became of it.
func (c *console) act(order, action string) error {
	var detail backoffice.Detail
	if err := c.post(orderURI(order, action), struct{}{}, &detail); err != nil {
		return err
	}
	return c.printOrder(detail)
}
