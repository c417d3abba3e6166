package qfpaytest

import (
	"maps"
	"slices"
)

// check says what is wrong with a value, and nothing when it is right.
type check func(value string) (wrong string)

// rule is one line of a table of parameters.
type rule struct {
	name     string
	required bool
	check    check

	// respcd answers a wrong value; respcdValue unless it is set.
	respcd string
}

// rules are a table of parameters. What is not in the table is refused.
type rules []rule

func (table rules) apply(p params) *refusal {
	if r := table.refuseUnknown(p); r != nil {
		return r
	}
	for _, line := range table {
		if r := line.apply(p); r != nil {
			return r
		}
	}
	return nil
}

func (table rules) refuseUnknown(p params) *refusal {
	for _, name := range slices.Sorted(maps.Keys(p)) {
		known := slices.ContainsFunc(table, func(line rule) bool { return line.name == name })
		if !known {
			return refuse(respcdForm, "%s: unknown parameter", name)
		}
	}
	return nil
}

func (line rule) apply(p params) *refusal {
	value, given := p[line.name]
	switch {
	case !given && line.required:
		return refuse(respcdForm, "%s: missing", line.name)
	case !given:
		return nil
	}
	if wrong := line.check(value); wrong != "" {
		return refuse(line.refusesWith(), "%s: %s", line.name, wrong)
	}
	return nil
}

func (line rule) refusesWith() string {
	if line.respcd != "" {
		return line.respcd
	}
	return respcdValue
}

// withMerchant adds the mchid to a table, if one was issued.
func (s *Simulator) withMerchant(table rules) rules {
	if s.cfg.MchID == "" {
		return table
	}
	return append(table, rule{name: "mchid", required: true, check: equal(s.cfg.MchID), respcd: respcdMchID})
}
