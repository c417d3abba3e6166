package cli

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/backoffice"
)

func showCommand(connect Connect) *cobra.Command {
	return &cobra.Command{
		Use: "show <order>", Short: "Shows an order and its history",
		Args: cobra.ExactArgs(1), RunE: connect.run((*console).show),
	}
}

func (c *console) show(args []string) error {
	var detail backoffice.Detail
	if err := c.get(orderURI(args[0]), &detail); err != nil {
		return err
	}
	return c.printOrder(detail)
}

func orderURI(order string, action ...string) string {
	return strings.Join(append([]string{"orders", url.PathEscape(order)}, action...), "/")
}

func (c *console) printOrder(detail backoffice.Detail) error {
	if c.json {
		return c.printJSON(detail)
	}
	about := [][]string{
		{"Order", detail.Order},
		{"Status", statusText(detail.Row)},
		{"Amount", money(detail.DisplayAmount, detail.Currency)},
		{"Refunded", moneyIf(detail.Refunded > 0, detail.DisplayRefunded, detail.Currency)},
		{"Left", moneyIf(detail.Refunded > 0 || detail.Refunding, backoffice.DisplayAmount(detail.Left, detail.Currency), detail.Currency)},
		{"Started", clock(detail.At)},
		{"Paid", clock(detail.PaidAt)},
		{"Stock", shortText(detail)},
		{"Fulfilled", clock(detail.FulfilledAt)},
		{"Note", detail.Note},
		{"Method", detail.Method},
		{"Description", detail.Description},
		{"Ref", detail.Ref},
		{"Invoice", detail.Invoice},
		{"Gateway's number", detail.Syssn},
		{"Shop", detail.Shop},
	}
	for _, item := range detail.Items {
		about = append(about, []string{"Item", fmt.Sprintf("%d × %s, %s each", item.Quantity, cmp.Or(item.Name, item.Item), money(backoffice.DisplayAmount(item.Price, detail.Currency), detail.Currency))})
	}
	for _, name := range slices.Sorted(maps.Keys(detail.Fields)) {
		about = append(about, []string{"Told: " + name, strings.Join(detail.Fields[name], "; ")})
	}
	for _, refund := range detail.Refunds {
		about = append(about, []string{"Refund " + refund.RefundID, strings.TrimSpace(money(refund.DisplayAmount, refund.Currency) + ", " + refund.Status + " " + refund.Reason)})
	}
	for _, delivery := range detail.Deliveries {
		about = append(about, []string{"Webhook", deliveryText(delivery)})
	}
	if err := c.table(slices.DeleteFunc(about, func(row []string) bool { return row[1] == "" })); err != nil {
		return err
	}
	c.say("")
	var events [][]string
	for _, event := range detail.Events {
		events = append(events, []string{clock(event.At), strings.TrimSpace(event.Event + " " + event.About), eventText(event, detail.Currency)})
	}
	return c.table(events)
}

// shortText says that a paid order has found nothing left; "" for others.
func shortText(detail backoffice.Detail) string {
	if !detail.Short {
		return ""
	}
	return "short: not enough was left of what it is for"
}

// deliveryText is what became of a webhook or a mail, in one line.
func deliveryText(d backoffice.DeliveryView) string {
	text := fmt.Sprintf("%s to %s, %s, attempts: %d", d.Event, d.Endpoint, d.Status, d.Attempts)
	if d.LastStatus != 0 {
		text += fmt.Sprintf(", answer: %d", d.LastStatus)
	}
	if !d.NextAt.IsZero() {
		text += ", next " + clock(d.NextAt)
	}
	return text
}

// eventText is what an event of an order says, in one line.
func eventText(event backoffice.EventView, currency string) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(event.Data)) {
		if name == "amount" {
			parts = append(parts, name+" "+amountText(event.Data, currency))
			continue
		}
		switch value := event.Data[name].(type) {
		case string:
			if at, err := time.Parse(time.RFC3339, value); err == nil {
				value = clock(at.In(event.At.Location()))
			}
			if value != "" {
				parts = append(parts, name+" "+value)
			}
		case bool:
			parts = append(parts, fmt.Sprintf("%s %v", name, value))
		case float64:
			parts = append(parts, fmt.Sprintf("%s %d", name, int64(value)))
		}
	}
	return strings.Join(parts, ", ")
}

// amountText is the money of an event, in the currency of the event or else of the
// order.
func amountText(data map[string]any, currency string) string {
	if own, ok := data["currency"].(string); ok && own != "" {
		currency = own
	}
	minor, _ := data["amount"].(float64)
	return backoffice.DisplayAmount(int64(minor), currency)
}
