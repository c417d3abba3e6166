package qfpaytest

import (
	"bytes"
	"cmp"
	"io"
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

// oversizedBody is the length of an oversized reply, in bytes.
const oversizedBody = 8 << 20

// plainNumber is what JSON can hold as a number without losing zeros.
var plainNumber = regexp.MustCompile(`^(0|[1-9][0-9]*)$`)

// spoilsBefore answers in place of the call, for faults that commit nothing.
func (f Fault) spoilsBefore(w http.ResponseWriter, request *http.Request, c call, r *rand.Rand) bool {
	switch f.Kind {
	case DropBefore:
		drop(w)
	case Status5xx:
		http.Error(w, "upstream failed", oneOf(r, 500, 502, 503, 504))
	case TooMany:
		tooMany(1).write(w)
	case Garbage:
		writeGarbage(w, r)
	case HTML:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, "<!DOCTYPE html><title>Maintenance</title><h1>Under maintenance</h1>")
	case Oversized:
		writeOversized(w)
	case Respcd:
		var named object
		if c.about != nil {
			named = c.about(request)
		}
		c.refused(f.refusal(), named).write(w)
	default:
		return false
	}
	return true
}

// refusal is that of the kinds Respcd and RespcdAfter.
func (f Fault) refusal() *refusal {
	return &refusal{respcd: f.Respcd, reason: cmp.Or(f.Respmsg, "injected")}
}

// named are the members of a reply that the refusal in its place has too. What the
// channel is at work on has a syssn, what it refuses has none.
func (f Fault) named(c call, reply object) (named object) {
	if c.about != nil {
		named = reply.only(refundNames...)
	}
	if slices.Contains(respcdsAtWork, f.Respcd) {
		named = append(named, reply.only("syssn")...)
	}
	return named
}

// writeDistorted writes the answer of a call that has been carried out.
func (f Fault) writeDistorted(w http.ResponseWriter, c call, a answer) {
	switch f.Kind {
	case RespcdAfter:
		if a.reply != nil {
			a = c.refused(f.refusal(), f.named(c, a.reply))
		}
	case BadSign:
		a.sign = func([]byte) string { return strings.Repeat("0", 32) }
	case DropAfter:
		drop(w)
		return
	case Truncated:
		writeTruncated(w, a)
		return
	}
	if a.reply != nil {
		a.reply = f.distort(a.reply)
	}
	a.write(w)
}

func (f Fault) distort(reply object) object {
	switch f.Kind {
	case Numbers:
		return reply.mapped(asNumber)
	case BareRespcd:
		return reply.mapped(asBareRespcd)
	case Nulls:
		return reply.mapped(asNull)
	case MissingPayParams:
		return reply.without("pay_params").without("pay_url")
	default:
		return reply
	}
}

func asNumber(m member) any {
	value, isString := m.value.(string)
	switch {
	case isString && m.name == "respcd":
		if value = strings.TrimLeft(value, "0"); value == "" {
			return 0
		}
		return literal(value)
	case isString && plainNumber.MatchString(value):
		return literal(value)
	}
	return m.value
}

func asBareRespcd(m member) any {
	if value, isString := m.value.(string); isString && m.name == "respcd" {
		return literal(value)
	}
	return m.value
}

func asNull(m member) any {
	if m.optional {
		return nil
	}
	return m.value
}

// drop closes the connection without a reply.
func drop(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	_ = conn.Close()
}

// writeTruncated writes half of what it promises; the server then has to close
// the connection.
func writeTruncated(w http.ResponseWriter, a answer) {
	body := a.body()
	a.head(w, body, len(body)+1)
	_, _ = w.Write(body[:len(body)/2])
}

func writeGarbage(w http.ResponseWriter, r *rand.Rand) {
	w.Header().Set("Content-Type", "application/json")
	garbage := make([]byte, 64)
	for i := range garbage {
		garbage[i] = byte(r.UintN(256))
	}
	_, _ = w.Write(garbage)
}

func writeOversized(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	const head, tail = `{"respcd":"0000","respmsg":"`, `"}`
	filling := io.LimitReader(endless('x'), oversizedBody-int64(len(head)+len(tail)))
	_, _ = io.Copy(w, io.MultiReader(strings.NewReader(head), filling, strings.NewReader(tail)))
}

// endless is a reader that never ends.
type endless byte

func (e endless) Read(p []byte) (int, error) {
	copy(p, bytes.Repeat([]byte{byte(e)}, len(p)))
	return len(p), nil
}

// pause waits for the delay of a fault, and reports false if the caller went
// away or the simulator was closed meanwhile.
func (s *Simulator) pause(r *http.Request, delay time.Duration) bool {
	if delay == 0 {
		return true
	}
	timer := time.NewTimer(s.scaled(delay))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
		return false
	case <-s.courier.stop.Done():
		return false
	}
}
