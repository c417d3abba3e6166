package qfpaytest

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// FaultKind is a way in which the gateway, or the line to it, can fail.
type FaultKind string

// The kinds of faults. "Nothing committed" means that the call had no effect;
// "committed" means that it had, whatever the caller gets to see.
const (
	Delay            FaultKind = "delay"              // the right answer, late
	DropBefore       FaultKind = "drop_before"        // connection closed, nothing committed
	DropAfter        FaultKind = "drop_after"         // connection closed, committed
	Status5xx        FaultKind = "status_5xx"         // HTTP 500, 502, 503 or 504, nothing committed
	TooMany          FaultKind = "too_many"           // HTTP 429 with Retry-After, nothing committed
	Garbage          FaultKind = "garbage"            // random bytes as JSON, nothing committed
	HTML             FaultKind = "html"               // 200 with an HTML page, nothing committed
	Oversized        FaultKind = "oversized"          // 8 MiB of JSON, nothing committed
	Respcd           FaultKind = "respcd"             // refused with Fault.Respcd, nothing committed
	RespcdAfter      FaultKind = "respcd_after"       // refused with Fault.Respcd, committed
	Truncated        FaultKind = "truncated"          // half the body that Content-Length promises, committed
	Numbers          FaultKind = "numbers"            // numeric strings as JSON numbers, respcd 0000 as 0
	BareRespcd       FaultKind = "bare_respcd"        // 0000 without quotes, as the documentation prints it: not JSON
	Nulls            FaultKind = "nulls"              // optional members are null
	MissingPayParams FaultKind = "missing_pay_params" // a payment's reply without pay_params or pay_url, committed
	BadSign          FaultKind = "bad_sign"           // a wrong X-QF-SIGN on the right answer, committed
)

// FaultKinds returns all kinds.
func FaultKinds() []FaultKind {
	return []FaultKind{
		Delay, DropBefore, DropAfter, Status5xx, TooMany, Garbage, HTML, Oversized, Respcd,
		RespcdAfter, Truncated, Numbers, BareRespcd, Nulls, MissingPayParams, BadSign,
	}
}

// Fault disturbs the next calls that it fits.
type Fault struct {
	// Call is one of CallNames; empty fits any.
	Call string

	Kind FaultKind

	// Respcd is the code of the kinds Respcd and RespcdAfter: four digits, or for
	// a call of WeChat's its errcode, such as 40029 or -1.
	Respcd string

	// Respmsg is the text beside Respcd, such as "wrong cancel". Default: "injected".
	Respmsg string

	// Delay comes before the fault, of whatever kind, divided by the time scale.
	Delay time.Duration

	// Times is how many calls are hit: 0 means one, -1 all until ClearFaults.
	Times int

	// Probability is how likely each fitting call is hit, by the seed's dice;
	// 0 means always.
	Probability float64
}

var (
	respcdPattern  = regexp.MustCompile(`^[0-9]{4}$`)
	errcodePattern = regexp.MustCompile(`^(-1|[1-9][0-9]{0,8})$`)
)

func (f Fault) validate() error {
	needsRespcd := f.Kind == Respcd || f.Kind == RespcdAfter
	switch {
	case !slices.Contains(FaultKinds(), f.Kind):
		return fmt.Errorf("unknown kind of fault %q", f.Kind)
	case f.Call != "" && !slices.Contains(CallNames(), f.Call):
		return fmt.Errorf("unknown call %q", f.Call)
	case needsRespcd && f.ofWeChat() && !errcodePattern.MatchString(f.Respcd):
		return fmt.Errorf("errcode %q is neither -1 nor a positive number", f.Respcd)
	case needsRespcd && !f.ofWeChat() && !respcdPattern.MatchString(f.Respcd):
		return fmt.Errorf("respcd %q is not four digits", f.Respcd)
	case f.Delay < 0:
		return fmt.Errorf("delay %v is negative", f.Delay)
	case f.Times < -1:
		return fmt.Errorf("times %d is less than -1", f.Times)
	case !(f.Probability >= 0 && f.Probability <= 1):
		return fmt.Errorf("probability %v is not between 0 and 1", f.Probability)
	}
	return nil
}

func (f Fault) ofWeChat() bool { return strings.HasPrefix(f.Call, "wechat_") }

// faults are those that wait for their call, oldest first.
type faults struct {
	waiting []Fault
	rolls   int
}

func (fs *faults) add(f Fault) {
	if f.Times == 0 {
		f.Times = 1
	}
	fs.waiting = append(fs.waiting, f)
}

// take returns the first fault that hits a call, and the zero Fault if none does.
func (fs *faults) take(d dice, call string) Fault {
	for i, f := range fs.waiting {
		if (f.Call != "" && f.Call != call) || !fs.hits(d, f.Probability) {
			continue
		}
		switch {
		case f.Times == 1:
			fs.waiting = slices.Delete(fs.waiting, i, i+1)
		case f.Times > 1:
			fs.waiting[i].Times--
		}
		return f
	}
	return Fault{}
}

func (fs *faults) hits(d dice, probability float64) bool {
	if probability == 0 {
		return true
	}
	fs.rolls++
	return d.roll("fault", fs.rolls).Float64() < probability
}

// Inject adds a fault behind those that are already waiting. It panics if the
// fault is invalid: unknown kind or call, a number out of its range.
func (s *Simulator) Inject(f Fault) {
	if err := f.validate(); err != nil {
		panic("qfpaytest: " + err.Error())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.add(f)
}

// ClearFaults removes the faults that are still waiting.
func (s *Simulator) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.waiting = nil
}

// Faults returns the faults that are still waiting, in order.
func (s *Simulator) Faults() []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.faults.waiting)
}
