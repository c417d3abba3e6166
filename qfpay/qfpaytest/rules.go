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

// rules are a table of parameters.
type rules []rule

// check applies a table. What is not in it is ignored, or refused by the strict.
func (s *Simulator) check(table rules, p params) *refusal {
	if s.cfg.Strict {
		return table.applyToAll(p)
	}
	return table.apply(p)
}

// applyToAll refuses what is not in the table.
func (table rules) applyToAll(p params) *refusal {
	if r := table.refuseUnknown(p); r != nil {
		return r
	}
	return table.apply(p)
}

func (table rules) apply(p params) *refusal {
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
	value := p[line.name]
	switch {
	case value == "" && line.required:
		return refuse(respcdForm, "%s: missing", line.name)
	case value == "":
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

// withMerchant adds the mchid to a table: required if one was issued, and wrong
// if none was.
func (s *Simulator) withMerchant(table rules) rules {
	return append(table, rule{name: "mchid", required: s.cfg.MchID != "", check: s.mchid, respcd: respcdSign})
}

// mchid answers in the gateway's own words.
func (s *Simulator) mchid(value string) string {
	if value != s.cfg.MchID {
		return "MCHCODE非法"
	}
	return ""
}
