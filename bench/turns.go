package main

import "slices"

// contender is what takes turns with others.
type contender struct {
	name  string
	turn  func() (figures, error)
	turns []figures
	every int // takes part in every so manieth round only, because its turns are long; 0 means 1
}

// alternate lets the contenders take turns. Each is first, and each last, in
// its time, so that what else the machine does hits all alike. The turns before
// the first round warm up and are not counted.
func alternate(rounds, warmUps int, contenders []*contender) error {
	for round := -warmUps; round < rounds; round++ {
		for _, c := range inTurn(contenders, round+warmUps) {
			if round%max(c.every, 1) != 0 {
				continue
			}
			f, err := c.turn()
			if err != nil {
				return err
			}
			if round >= 0 {
				c.turns = append(c.turns, f)
			}
		}
	}
	return nil
}

// inTurn is the order of a round: it begins with another one each time, and
// goes backwards every second time.
func inTurn[T any](all []T, round int) []T {
	first := round / 2 % len(all)
	order := slices.Concat(all[first:], all[:first])
	if round%2 == 1 {
		slices.Reverse(order)
	}
	return order
}

// named finds a contender.
func named(contenders []*contender, name string) *contender {
	i := slices.IndexFunc(contenders, func(c *contender) bool { return c.name == name })
	return contenders[i]
}

// best has the highest score of those that are asked for.
func best(contenders []*contender, asked func(name string) bool, score func(figures) float64) (found *contender) {
	for _, c := range contenders {
		if asked(c.name) && (found == nil || of(c.turns, score) > of(found.turns, score)) {
			found = c
		}
	}
	return found
}
