package cli

import (
	"errors"
	"net/url"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/backoffice"
)

func ordersCommand(connect Connect) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "orders [--day <2026-11-23> | --from <day> --to <day>] [--status <status>]... [--method <method>]... [--search <text>] [--todo] [--limit <n>]",
		Short: "Lists orders, newest first; by default, today's",
		Args:  cobra.NoArgs,
		RunE:  connect.run((*console).orders),
	}
	periodFlags(cmd)
	cmd.Flags().Bool("todo", false, "Only orders to be fulfilled: paid, not fully refunded, not fulfilled; by default, of all days")
	cmd.Flags().Int("limit", 100, "How many orders to list at most")
	return cmd
}

// periodFlags are those that say which orders are wanted.
func periodFlags(cmd *cobra.Command) {
	cmd.Flags().String("day", "", "The day, such as 2026-11-23; default: today; not together with --from and --to")
	cmd.Flags().String("from", "", "First day of a period")
	cmd.Flags().String("to", "", "Last day of a period; default: today")
	cmd.Flags().StringSlice("status", nil, "Only orders with this status: pending, failed, closed, paid, partially_refunded or refunded; repeatable")
	cmd.Flags().StringSlice("method", nil, "Only orders paid by this method: jsapi, hosted, wechat, alipayhk, unionpay or payme; repeatable")
	cmd.Flags().String("search", "", "Only orders with this text in their number, description or reference")
	cmd.Flags().String("name", "", "Only orders of this shop; default: all shops")
}

// wanted reads the period's flags as a query.
func (c *console) wanted() (url.Values, error) {
	if c.text("day") != "" && c.text("from")+c.text("to") != "" {
		return nil, errors.New("--day is one day, --from and --to are a period: use one or the other")
	}
	query := url.Values{}
	for flag, parameter := range map[string]string{"day": "day", "from": "from", "to": "to", "search": "q", "name": "name"} {
		if value := c.text(flag); value != "" {
			query.Set(parameter, value)
		}
	}
	for _, name := range []string{"status", "method"} {
		if words, _ := c.cmd.Flags().GetStringSlice(name); len(words) > 0 {
			query[name] = words
		}
	}
	return query, nil
}

func (c *console) orders([]string) error {
	limit, _ := c.cmd.Flags().GetInt("limit")
	if limit < 1 {
		return errors.New("--limit must be at least 1")
	}
	query, err := c.wanted()
	if err != nil {
		return err
	}
	if todo, _ := c.cmd.Flags().GetBool("todo"); todo {
		query.Set("fulfilled", "false")
	}
	all := backoffice.OrdersPage{Orders: []backoffice.Row{}}
	for {
		query.Set("limit", strconv.Itoa(min(limit-len(all.Orders), backoffice.MaxPage)))
		var page backoffice.OrdersPage
		if err := c.get("orders?"+query.Encode(), &page); err != nil {
			return err
		}
		all.Orders, all.Next = append(all.Orders, page.Orders...), page.Next
		if page.Next == "" || len(all.Orders) >= limit {
			break
		}
		query.Set("before", page.Next)
	}
	if c.json {
		return c.printJSON(all)
	}
	return c.printOrders(all)
}

func (c *console) printOrders(all backoffice.OrdersPage) error {
	if len(all.Orders) == 0 {
		c.say("No orders.")
		return nil
	}
	rows := [][]string{{"ORDER", "STARTED", "STATUS", "METHOD", "AMOUNT", "REFUNDED", "REF", "DESCRIPTION"}}
	for _, row := range all.Orders {
		rows = append(rows, []string{
			row.Order, clock(row.At), statusText(row), row.Method, money(row.DisplayAmount, row.Currency),
			moneyIf(row.Refunded > 0, row.DisplayRefunded, row.Currency), row.Ref, row.Description,
		})
	}
	if err := c.table(rows); err != nil {
		return err
	}
	if all.Next != "" {
		c.note("There are more orders: raise --limit to see them.")
	}
	return nil
}

// statusText is the status with what a person should look at.
func statusText(row backoffice.Row) string {
	text := string(row.Status)
	for _, remark := range []struct {
		holds bool
		text  string
	}{{!row.FulfilledAt.IsZero(), "fulfilled"}, {row.Late, "late"}, {row.Disputed, "disputed"}, {row.Refunding, "refund pending"}, {row.Damaged, "damaged"}} {
		if remark.holds {
			text += ", " + remark.text
		}
	}
	return text
}
