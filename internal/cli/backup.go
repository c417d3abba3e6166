package cli

import (
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/backoffice"
)

func backupCommand(connect Connect) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "backup <file> [--name <shop>]",
		Short: "Backs up the ledger to a file, while the shop keeps running",
		Long: `Backs up the ledger to a file, while the shop keeps running. The running Caddy
writes the file, on its machine and as its user, and overwrites none. The copy
contains what payers told the shop. Back up a ledger on PostgreSQL with pg_dump.`,
		Args: cobra.ExactArgs(1),
		RunE: connect.run((*console).backup),
	}
	cmd.Flags().String("name", "", "A shop whose ledger is meant, if there are several ledgers")
	return cmd
}

func (c *console) backup(args []string) error {
	file, err := filepath.Abs(args[0])
	if err != nil {
		return err
	}
	name := c.text("name")
	var made backoffice.BackupAnswer
	if err := c.post("backup", backoffice.BackupRequest{File: file, Name: name}, &made); err != nil {
		return err
	}
	if c.json {
		return c.printJSON(made)
	}
	c.say("Backup written to %s: %d bytes.", made.File, made.Bytes)
	return nil
}
