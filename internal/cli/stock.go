package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/backoffice"
)

func stockCommand(connect Connect) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "stock [<item> <pieces>] [--name <shop>]",
		Short: "Lists the items with stock, or sets how many pieces of one can be sold",
		Long: `Lists the items with stock, or sets how many pieces of one can be sold from now
on. Pieces reserved by open orders come on top: they return by themselves if the
order is not paid, but not if it is paid and refunded. An item is not sold until
it has been counted once.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 0 && len(args) != 2 {
				return errors.New("give an item and its number of pieces, or neither for a list")
			}
			return nil
		},
		RunE: connect.run((*console).stock),
	}
	cmd.Flags().String("name", "", "The shop, if several sell the item; for a list, only this shop")
	return cmd
}

func (c *console) stock(args []string) error {
	if len(args) == 2 {
		return c.setStock(args[0], args[1])
	}
	uri := "stock"
	if name := c.text("name"); name != "" {
		uri += "?" + url.Values{"name": {name}}.Encode()
	}
	var found backoffice.StockAnswer
	if err := c.get(uri, &found); err != nil {
		return err
	}
	if c.json {
		return c.printJSON(found)
	}
	return c.printStock(found.Stock)
}

func (c *console) setStock(item, pieces string) error {
	available, err := strconv.ParseInt(pieces, 10, 64)
	if err != nil {
		return fmt.Errorf("%q is not a number of pieces", pieces)
	}
	raw, err := json.Marshal(backoffice.StockRequest{Available: &available, Name: c.text("name")})
	if err != nil {
		return err
	}
	var row backoffice.StockRow
	if err := c.ask(http.MethodPut, "stock/"+url.PathEscape(item), bytes.NewReader(raw), &row); err != nil {
		return err
	}
	if c.json {
		return c.printJSON(row)
	}
	return c.printStock([]backoffice.StockRow{row})
}

func (c *console) printStock(rows []backoffice.StockRow) error {
	if len(rows) == 0 {
		c.note("No item has stock. To count one, give it the setting stock in the configuration or the catalogue.")
		return nil
	}
	uncounted := ""
	lines := [][]string{{"ITEM", "AVAILABLE", "RESERVED", "COUNTED", "SHOP", "NAME"}}
	for _, row := range rows {
		counted := clock(row.Counted)
		if row.Counted.IsZero() {
			counted, uncounted = "never", row.Item
		}
		lines = append(lines, []string{row.Item, fmt.Sprint(row.Available), fmt.Sprint(row.Reserved), counted, row.Shop, row.Name})
	}
	if err := c.table(lines); err != nil {
		return err
	}
	if uncounted != "" {
		c.note("An item is not sold until it has been counted: caddy qfpay-jsapi stock %s <pieces>", backoffice.Printable(uncounted))
	}
	return nil
}
