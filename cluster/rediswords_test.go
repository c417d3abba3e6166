package cluster

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// words are a command to Redis, or a list that it answers.
type words []string

// readWords reads the form in which Redis's clients send commands.
func readWords(r *bufio.Reader) (words, error) {
	count, err := readCount(r, '*')
	if err != nil {
		return nil, err
	}
	all := make(words, count)
	for i := range all {
		length, err := readCount(r, '$')
		if err != nil {
			return nil, err
		}
		word := make([]byte, length+len("\r\n"))
		if _, err := io.ReadFull(r, word); err != nil {
			return nil, err
		}
		all[i] = string(word[:length])
	}
	return all, nil
}

func readCount(r *bufio.Reader, mark byte) (int, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return 0, err
	}
	if line[0] != mark {
		return 0, fmt.Errorf("%q in place of %c", line, mark)
	}
	return strconv.Atoi(strings.TrimSpace(line[1:]))
}

func (w words) String() string {
	var text strings.Builder
	fmt.Fprintf(&text, "*%d\r\n", len(w))
	for _, word := range w {
		fmt.Fprintf(&text, "$%d\r\n%s\r\n", len(word), word)
	}
	return text.String()
}

// Lengths of the scripts that take, prolong and give back a lock, which differ
// in what they are told.
const (
	lockWords   = 7
	unlockWords = 5
)

// write says what a command changes in the ledger or in its locks; "" stands
// for nothing. What follows from the time alone is left out: the clerk's lock,
// and prolonging any.
func (w words) write() string {
	what, key := strings.ToLower(w[0]), ""
	switch {
	case (what == "set" || what == "del") && len(w) > 1:
		key = w[1]
	case what == "zadd" && len(w) == 4:
		key = w[1] + "/" + w[3]
	case what == "zrem" && len(w) == 3:
		key = w[1] + "/" + w[2]
	case strings.HasPrefix(what, "eval") && len(w) == lockWords:
		what, key = "lock", w[3]
	case strings.HasPrefix(what, "eval") && len(w) == unlockWords:
		what, key = "unlock", w[3]
	}
	if !strings.Contains(key, "qfpay_jsapi") || strings.HasSuffix(key, "/clerk") {
		return ""
	}
	return what + " " + key
}
