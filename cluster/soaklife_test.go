package cluster

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// life is what a node did from a start to its end. Its metrics end with it, and
// its log tells which orders they counted.
type life struct {
	*node
	begins  int64     // where in the log
	ended   time.Time // zero: it goes on
	counted sums      // the last that its metrics said
	logged  diary
}

// diary is the money that a log tells of: payments by order, refunds by the
// gateway's number.
type diary struct{ paid, refunded map[string]int64 }

func newDiary() diary { return diary{make(map[string]int64), make(map[string]int64)} }

func (d diary) add(other diary) {
	maps.Copy(d.paid, other.paid)
	maps.Copy(d.refunded, other.refunded)
}

func (d diary) sums() sums {
	return sums{len(d.paid), sumOf(maps.Values(d.paid)), sumOf(maps.Values(d.refunded))}
}

func sumOf(amounts func(func(int64) bool)) (sum int64) {
	for amount := range amounts {
		sum += amount
	}
	return sum
}

func (s *soak) beginLife(n *node) {
	s.t.Helper()
	var begins int64
	if log, err := os.Stat(n.logFile()); err == nil {
		begins = log.Size()
	}
	s.lives = append(s.lives, &life{node: n, begins: begins})
}

// endLife asks for the metrics a last time and kills the node. What it counts
// between the two nobody learns.
func (s *soak) endLife(n *node) {
	s.t.Helper()
	for _, life := range slices.Backward(s.lives) {
		if life.node == n {
			life.counted = n.metrics()
			n.kill()
			life.ended = time.Now()
			life.logged = life.diary()
			return
		}
	}
}

// checkMetrics compares what each life counted with what it wrote into its log:
// to the cent where it was not killed, and what was counted last before it was.
// It returns what all logs tell.
func (s *soak) checkMetrics() (all diary) {
	s.t.Helper()
	all = newDiary()
	var each sums
	for _, life := range s.lives {
		if life.ended.IsZero() {
			life.counted, life.logged = life.metrics(), life.diary()
			assert.Equal(s.t, life.logged.sums(), life.counted, "what node %s logged and what it counted", life.name)
		}
		logged := life.logged.sums()
		assert.LessOrEqual(s.t, life.counted.orders, logged.orders, "node %s, killed at %s", life.name, life.ended)
		assert.LessOrEqual(s.t, life.counted.paid, logged.paid, "node %s, killed at %s", life.name, life.ended)
		assert.LessOrEqual(s.t, life.counted.refunded, logged.refunded, "node %s, killed at %s", life.name, life.ended)
		each.add(logged)
		all.add(life.logged)
	}
	both := all.sums()
	s.t.Logf("two nodes learned of the same payment at the same moment %d times; %d lives", each.orders-both.orders, len(s.lives))
	return all
}

var sample = regexp.MustCompile(`(?m)^caddy_qfpay_jsapi_(orders_total|paid_minor_units_total|refunded_minor_units_total)\{(.*)\} (\S+)$`)

// metrics are those of the node now.
func (n *node) metrics() (counted sums) {
	n.t.Helper()
	answer, err := http.Get("http://" + n.admin + "/metrics")
	require.NoError(n.t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(n.t, err)
	for _, found := range sample.FindAllStringSubmatch(string(text), -1) {
		value, err := strconv.ParseFloat(found[3], 64)
		require.NoError(n.t, err)
		switch {
		case found[1] == "paid_minor_units_total":
			counted.paid += int64(value)
		case found[1] == "refunded_minor_units_total":
			counted.refunded += int64(value)
		case regexp.MustCompile(`status="paid"`).MatchString(found[2]):
			counted.orders += int(value)
		}
	}
	return counted
}

// logLine is what matters here of a line of the log.
type logLine struct {
	Msg, Order, Syssn string
	Amount            int64
	RefundAmount      int64 `json:"refund_amount"`
}

// paidLines are the messages of an order that is paid.
var paidLines = []string{"paid", "an order was paid after it had failed or was closed: deliver or refund it"}

// diary reads what the node has logged in this life.
func (l *life) diary() diary {
	l.t.Helper()
	text, err := os.ReadFile(l.logFile())
	require.NoError(l.t, err)
	told := newDiary()
	lines := bufio.NewScanner(bytes.NewReader(text[l.begins:]))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var line logLine
		if json.Unmarshal(lines.Bytes(), &line) != nil {
			continue // Caddy's own words before it has a log
		}
		switch {
		case slices.Contains(paidLines, line.Msg):
			told.paid[line.Order] = line.Amount
		case line.Msg == "refunded" && line.RefundAmount > 0:
			told.refunded[line.Syssn] = line.RefundAmount
		}
	}
	require.NoError(l.t, lines.Err())
	return told
}
