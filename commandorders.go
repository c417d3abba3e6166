package qfpayjsapi

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

func ordersCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "orders [--day <2026-11-23> | --from <day> --to <day>] [--status <status>]... [--search <text>] [--limit <n>]",
		Short: "Lists orders, the newest first; without a day, today's",
		Args:  cobra.NoArgs,
		RunE:  run((*console).orders),
	}
	periodFlags(cmd)
	cmd.Flags().Int("limit", 100, "How many to list at most")
	return cmd
}

// periodFlags are those that say which orders are wanted.
func periodFlags(cmd *cobra.Command) {
	cmd.Flags().String("day", "", "The day, such as 2026-11-23; default: today")
	cmd.Flags().String("from", "", "The first day of a period")
	cmd.Flags().String("to", "", "The last day of a period; default: today")
	cmd.Flags().StringSlice("status", nil, "pending, failed, closed, paid, partially_refunded or refunded; repeatable")
	cmd.Flags().String("search", "", "Text in the order's number, description or reference")
	cmd.Flags().String("name", "", "The ledger, if there are several; default: all")
}

// wanted reads the period's flags as a query.
func (c *console) wanted() url.Values {
	query := url.Values{}
	for flag, parameter := range map[string]string{"day": "day", "from": "from", "to": "to", "search": "q", "name": "name"} {
		if value, _ := c.cmd.Flags().GetString(flag); value != "" {
			query.Set(parameter, value)
		}
	}
	if statuses, _ := c.cmd.Flags().GetStringSlice("status"); len(statuses) > 0 {
		query["status"] = statuses
	}
	return query
}

func (c *console) orders([]string) error {
	limit, _ := c.cmd.Flags().GetInt("limit")
	if limit < 1 {
		return fmt.Errorf("--limit must be at least 1")
	}
	query := c.wanted()
	all := ordersPage{Orders: []orderRow{}}
	for {
		query.Set("limit", strconv.Itoa(min(limit-len(all.Orders), maxPage)))
		var page ordersPage
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
	if len(all.Orders) == 0 {
		c.say("No orders.")
		return nil
	}
	rows := [][]string{{"ORDER", "STARTED", "STATUS", "AMOUNT", "REFUNDED", "REF", "DESCRIPTION"}}
	for _, row := range all.Orders {
		rows = append(rows, []string{
			row.Order, localTime(row.At), statusText(row), money(row.DisplayAmount, row.Currency),
			moneyIf(row.Refunded > 0, row.DisplayRefunded, row.Currency), row.Ref, row.Description,
		})
	}
	if err := c.table(rows); err != nil {
		return err
	}
	if all.Next != "" {
		c.note("There are more: raise --limit.")
	}
	return nil
}

// statusText is the status with what a person should look at.
func statusText(row orderRow) string {
	text := string(row.Status)
	for _, remark := range []struct {
		holds bool
		text  string
	}{{row.Late, "late"}, {row.Disputed, "disputed"}, {row.Refunding, "refund on its way"}} {
		if remark.holds {
			text += ", " + remark.text
		}
	}
	return text
}

func localTime(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.Local().Format("2006-01-02 15:04:05")
}

func money(decimal, currency string) string { return currency + " " + decimal }

func moneyIf(shown bool, decimal, currency string) string {
	if !shown {
		return ""
	}
	return money(decimal, currency)
}

func showCommand() *cobra.Command {
	return &cobra.Command{
		Use: "show <order>", Short: "Shows an order and all that happened to it",
		Args: cobra.ExactArgs(1), RunE: run((*console).show),
	}
}

func (c *console) show(args []string) error {
	var detail orderDetail
	if err := c.get(orderURI(args[0]), &detail); err != nil {
		return err
	}
	return c.printOrder(detail)
}

func orderURI(order string, action ...string) string {
	return strings.Join(append([]string{"orders", url.PathEscape(order)}, action...), "/")
}

func (c *console) printOrder(detail orderDetail) error {
	if c.json {
		return c.printJSON(detail)
	}
	about := [][]string{
		{"Order", detail.Order},
		{"Status", statusText(detail.orderRow)},
		{"Amount", money(detail.DisplayAmount, detail.Currency)},
		{"Refunded", moneyIf(detail.Refunded > 0, detail.DisplayRefunded, detail.Currency)},
		{"Left", moneyIf(detail.Refunded > 0 || detail.Refunding, displayAmount(detail.Left, detail.Currency), detail.Currency)},
		{"Started", localTime(detail.At)},
		{"Paid", localTime(detail.PaidAt)},
		{"Description", detail.Description},
		{"Ref", detail.Ref},
		{"Invoice", detail.Invoice},
		{"Gateway's number", detail.Syssn},
		{"Ledger", detail.Name},
	}
	for _, item := range detail.Items {
		about = append(about, []string{"Item", fmt.Sprintf("%d × %s, %s each", item.Quantity, cmp.Or(item.Name, item.Item), money(displayAmount(item.Price, detail.Currency), detail.Currency))})
	}
	for _, refund := range detail.Refunds {
		about = append(about, []string{"Refund " + refund.RefundID, strings.TrimSpace(money(refund.DisplayAmount, refund.Currency) + ", " + refund.Status + " " + refund.Reason)})
	}
	if err := c.table(slices.DeleteFunc(about, func(row []string) bool { return row[1] == "" })); err != nil {
		return err
	}
	c.say("")
	var facts [][]string
	for _, fact := range detail.Facts {
		facts = append(facts, []string{localTime(fact.At), fact.Fact, factText(fact, detail.Currency)})
	}
	return c.table(facts)
}

// factText is what a fact of an order says, in one line.
func factText(fact factView, currency string) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(fact.Data)) {
		if name == "amount" {
			parts = append(parts, name+" "+amountText(fact.Data, currency))
			continue
		}
		switch value := fact.Data[name].(type) {
		case string:
			if at, err := time.Parse(time.RFC3339, value); err == nil {
				value = localTime(at)
			}
			parts = append(parts, name+" "+value)
		case bool:
			parts = append(parts, fmt.Sprintf("%s %v", name, value))
		case float64:
			parts = append(parts, fmt.Sprintf("%s %d", name, int64(value)))
		}
	}
	return strings.Join(parts, ", ")
}

// amountText is the money of a fact, in the currency of the fact or else of
// the order.
func amountText(data map[string]any, currency string) string {
	if own, ok := data["currency"].(string); ok {
		currency = own
	}
	minor, _ := data["amount"].(float64)
	return displayAmount(int64(minor), currency)
}

func queryCommand() *cobra.Command {
	return &cobra.Command{
		Use: "query <order>", Short: "Asks the gateway about an order and its refunds now",
		Args: cobra.ExactArgs(1), RunE: run(func(c *console, args []string) error { return c.act(args[0], "query") }),
	}
}

func closeCommand() *cobra.Command {
	return &cobra.Command{
		Use: "close <order>", Short: "Ends an order that nobody has paid, so that nobody can pay it any more",
		Args: cobra.ExactArgs(1), RunE: run(func(c *console, args []string) error { return c.act(args[0], "close") }),
	}
}

func (c *console) act(order, action string) error {
	var detail orderDetail
	if err := c.post(orderURI(order, action), struct{}{}, &detail); err != nil {
		return err
	}
	return c.printOrder(detail)
}
