package cli

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// failed has cobra say nothing about a command that has said everything, and prints
// the error itself for programs: {"error": "…"} on standard error.
func failed(cmd *cobra.Command, err error) error {
	_, ends := errors.AsType[ExitCode](err)
	switch {
	case ends:
		cmd.SilenceErrors = true
	case err != nil && wantsJSON(cmd):
		cmd.SilenceErrors, cmd.SilenceUsage = true, true
		lines := json.NewEncoder(cmd.ErrOrStderr())
		lines.SetEscapeHTML(false)
		_ = lines.Encode(map[string]string{"error": err.Error()}) // the exit code says it too
	}
	return err
}

// wantsJSON reports whether a program reads the output. A flag that was not parsed,
// because another one before it is wrong, counts too.
func wantsJSON(cmd *cobra.Command) bool {
	asJSON, _ := cmd.Flags().GetBool("json")
	return asJSON || slices.Contains(os.Args, "--json")
}

// inJSON has an error about arguments be JSON where JSON is asked for.
func inJSON(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error { return failed(cmd, check(cmd, args)) }
}

// flagError says of a number below zero, which looks like a flag, what is wrong with
// it.
func flagError(cmd *cobra.Command, err error) error {
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok {
		if name := unknown.GetSpecifiedName(); name != "" && strings.Contains("0123456789.", name[:1]) {
			cmd.SilenceUsage = true
			err = fmt.Errorf("-%s is below zero: amounts and numbers of pieces are written without a sign", cmp.Or(unknown.GetSpecifiedShortnames(), name))
		}
	}
	return failed(cmd, err)
}
