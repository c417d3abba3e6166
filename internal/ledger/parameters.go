package ledger

import "strings"

// marks are n parameters of a list.
func marks(n int) string { return strings.TrimSuffix(strings.Repeat("?, ", n), ", ") }

// texts are the arguments for so many [marks], with room for those that follow.
func texts(of []string) []any {
	args := make([]any, len(of), len(of)+8)
	for i, text := range of {
		args[i] = text
	}
	return args
}
