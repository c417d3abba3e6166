package qfpayjsapi

import (
	"strings"

	"github.com/spf13/cobra"
)

func doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use: "doctor", Short: "Checks what goes wrong in practice, and says what to do",
		Args: cobra.NoArgs, RunE: run((*console).doctor),
	}
}

func (c *console) doctor([]string) error {
	var answer struct {
		Findings []finding `json:"findings"`
	}
	if err := c.post("doctor", struct{}{}, &answer); err != nil {
		return err
	}
	if c.json {
		if err := c.printJSON(answer); err != nil {
			return err
		}
	}
	shop, wrong := "", false
	for _, found := range answer.Findings {
		wrong = wrong || found.Status == "bad"
		if c.json {
			continue
		}
		if found.Shop != shop {
			shop = found.Shop
			c.say("%s", printable(shop))
		}
		c.say("  %-8s %-16s %s", strings.ToUpper(found.Status), found.Check, printable(found.Found))
		if found.Advice != "" {
			c.say("  %-8s %-16s → %s", "", "", found.Advice)
		}
	}
	if wrong {
		return exit{undecided}
	}
	return nil
}
