// Package cli is the commands of caddy qfpay-jsapi: their flags, what they ask of
// the admin API, and how they print the answers for people and programs. It knows
// the admin API's paths and answers, which it shares with backoffice and doctor.
// It must not know how Caddy is reached, and it opens no ledger and calls no
// gateway: the running Caddy does.
package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// Usage names the commands in one line.
const Usage = "orders|show|fulfil|refund|query|close|stock|compare|export|backup|invoice|doctor|help [flags]"

// Connect returns the client of the Caddy that a command's flags name.
type Connect func(*cobra.Command) (Client, error)

// Add gives parent all commands, and the flag --json that they share. They print
// to the writers of the command, and their errors may be an [ExitCode].
func Add(parent *cobra.Command, connect Connect) {
	parent.PersistentFlags().Bool("json", false, "Print JSON, for programs; errors too, on standard error")
	parent.Args = inJSON(cobra.NoArgs) // otherwise a misspelt command shows the help and succeeds
	parent.SetFlagErrorFunc(flagError)
	parent.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	for _, command := range []*cobra.Command{
		ordersCommand(connect), showCommand(connect), fulfilCommand(connect), refundCommand(connect), queryCommand(connect), closeCommand(connect),
		stockCommand(connect), compareCommand(connect), exportCommand(connect), backupCommand(connect), invoiceCommand(connect), doctorCommand(connect),
	} {
		command.Args = inJSON(command.Args)
		parent.AddCommand(command)
	}
	help := helpCommand()
	parent.AddCommand(help)
	parent.SetHelpCommand(help)
}

// helpCommand makes "help" work as it does for caddy itself.
func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use: "help [<command>]", Short: "Shows what a command does, and its flags",
		RunE: func(cmd *cobra.Command, args []string) error {
			about, rest, err := cmd.Parent().Find(args)
			if err != nil || len(rest) > 0 {
				return fmt.Errorf("unknown command %q for %q", strings.Join(args, " "), cmd.Parent().CommandPath())
			}
			about.InitDefaultHelpFlag()
			return about.Help()
		},
	}
}

// ExitCode ends a command that has said everything.
type ExitCode int

func (e ExitCode) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// Undecided is the exit code for an outcome that is not known yet, for a doctor that
// found something wrong, and for a comparison that found differences.
const Undecided ExitCode = 3

// console is one run of a command: the Caddy that it asks, and where it prints.
type console struct {
	cmd    *cobra.Command
	client Client
	json   bool
}

// run makes a command's RunE of a function on a console.
func (connect Connect) run(do func(c *console, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		cmd.SilenceUsage = true
		client, err := connect(cmd)
		if err != nil {
			return failed(cmd, err)
		}
		return failed(cmd, do(&console{cmd, client, wantsJSON(cmd)}, args))
	}
}

// text is the value of a flag.
func (c *console) text(flag string) string {
	value, _ := c.cmd.Flags().GetString(flag)
	return value
}
