package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/backoffice"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/doctor"
)

func doctorCommand(connect Connect) *cobra.Command {
	return &cobra.Command{
		Use: "doctor", Short: "Checks for what goes wrong in practice, and says what to do about it",
		Args: cobra.NoArgs, RunE: connect.run((*console).doctor),
	}
}

func (c *console) doctor([]string) error {
	var report doctor.Report
	if err := c.post("doctor", struct{}{}, &report); err != nil {
		return err
	}
	if c.json {
		if err := c.printJSON(report); err != nil {
			return err
		}
	} else {
		if err := c.printFindings(report.Findings); err != nil {
			return err
		}
	}
	if report.HasBad() {
		return Undecided
	}
	return nil
}

// printFindings prints the findings of each block below its name.
func (c *console) printFindings(findings []doctor.Finding) error {
	shop := ""
	for _, found := range findings {
		if found.Shop != shop {
			shop = found.Shop
			c.say("%s", backoffice.Printable(shop))
		}
		lines := [][2]string{{fmt.Sprintf("  %-8s %-16s ", strings.ToUpper(found.Status), found.Check), found.Found}}
		if found.Advice != "" {
			lines = append(lines, [2]string{fmt.Sprintf("  %-8s %-16s → ", "", ""), found.Advice})
		}
		for _, line := range lines {
			if err := c.fold(line[0], backoffice.Printable(line[1])); err != nil {
				return err
			}
		}
	}
	return nil
}
