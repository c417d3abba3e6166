package cli

import (
	"errors"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/backoffice"
)

func fulfilCommand(connect Connect) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "fulfil <order> [--note <text> | --undo]",
		Short: "Marks an order as fulfilled, with a note for the payer",
		Long: `Marks an order as fulfilled: "orders --todo" no longer lists it, and the payer's
receipt says so, with the note. Run it again to change the note.`,
		Args: cobra.ExactArgs(1),
		RunE: connect.run((*console).fulfil),
	}
	cmd.Flags().String("note", "", "Note for the payer, such as a tracking number: one line, up to 200 characters")
	cmd.Flags().Bool("undo", false, "Mark the order as not fulfilled, and remove the note")
	return cmd
}

func (c *console) fulfil(args []string) error {
	uri := orderURI(args[0], "fulfil")
	var detail backoffice.Detail
	var err error
	undo, _ := c.cmd.Flags().GetBool("undo")
	switch {
	case undo && c.cmd.Flags().Changed("note"):
		return errors.New("--undo removes the note: use either --note or --undo")
	case undo:
		err = c.ask(http.MethodDelete, uri, nil, &detail)
	default:
		err = c.post(uri, map[string]string{"note": c.text("note")}, &detail)
	}
	if err != nil {
		return err
	}
	return c.printOrder(detail)
}
