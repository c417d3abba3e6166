package orders

import (
	"context"
	"regexp"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// Change is something that has happened and is durable.
type Change struct {
	// Kind is what happened: the kind of an event in the ledger, such as claimed
	// or paid.
	Kind string

	// Event is the name under which others hear of it, such as order.paid; ""
	// if they do not.
	Event string

	Shop  string
	Order ledger.Order // as it is since then; empty for an orphan

	// StatusChanged says that the order has come to another status by it.
	StatusChanged bool

	Refund *ledger.Refund // nil unless a refund ended
	Orphan *ledger.Orphan // nil for an order
	Data   map[string]any // what the event says
	log    logLine
}

// logLine is what the log says of a change; nothing if it has no message.
type logLine struct {
	level   zapcore.Level
	message string
	fields  []zap.Field
}

func info(message string, fields ...zap.Field) logLine {
	return logLine{zap.InfoLevel, message, fields}
}

func alarm(message string, fields ...zap.Field) logLine {
	return logLine{zap.ErrorLevel, message, fields}
}

// step is one transaction on the ledger and what it changes.
type step struct {
	*ledger.Tx
	*Service
	now     time.Time
	changes []Change
	told    bool // deliveries were put into the outbox
	due     bool // something is due now
}

// update runs a step, and when it is durable says what has changed.
func update[T any](ctx context.Context, s *Service, do func(*step) (T, error)) (T, error) {
	type result struct {
		value T
		*step
	}
	done, err := ledger.Update(ctx, s.Ledger, func(tx *ledger.Tx) (result, error) {
		this := &step{Tx: tx, Service: s, now: s.Now()}
		value, err := do(this)
		return result{value, this}, err
	})
	if err != nil {
		var none T
		return none, err
	}
	if done.told {
		s.Shops.Wake(s.Ledger)
	}
	if done.due {
		s.Shops.Due(s.Ledger)
	}
	for i := range done.changes {
		s.announce(&done.changes[i])
	}
	return done.value, nil
}

// changeOrder runs a step that changes an order, and returns the order as it is
// then.
func (s *Service) changeOrder(ctx context.Context, id string, change func(*step, *ledger.Order) error) (ledger.Order, error) {
	changed, err := s.change(ctx, id, change)
	if err != nil {
		return ledger.Order{}, err
	}
	return *changed, nil
}

func (s *Service) change(ctx context.Context, id string, change func(*step, *ledger.Order) error) (*ledger.Order, error) {
	return update(ctx, s, func(st *step) (*ledger.Order, error) {
		o, err := st.Order(id)
		if err != nil {
			return nil, err
		}
		if err := change(st, &o); err != nil {
			return nil, err
		}
		return &o, st.save(&o)
	})
}

// announce logs, counts and emits a change: here alone, and once.
func (s *Service) announce(change *Change) {
	if line := change.log; line.message != "" {
		fields := line.fields
		if change.Orphan == nil {
			fields = append(OrderFields(change.Order), line.fields...)
		}
		s.Log.Log(line.level, line.message, fields...)
	}
	s.Observer.Changed(*change)
}

// save writes an order and when it is looked at next.
func (st *step) save(o *ledger.Order) error {
	var refunds ledger.Refunds
	if o.Status.Paid() {
		var err error
		if refunds, err = st.Refunds(o.ID); err != nil {
			return err
		}
	}
	o.CheckAt = st.nextCheck(*o, refunds, st.now)
	st.due = st.due || !o.CheckAt.IsZero() && !o.CheckAt.After(st.now.Add(time.Second)) // others it finds in time
	return st.Save(*o)
}

// happening is something that happens to an order.
type happening struct {
	kind  string         // in the history
	about string         // the refund or the syssn that it is about
	data  map[string]any // of the history
	log   logLine

	statusChanged bool

	event   string         // that others hear of; "" if they do not
	key     string         // names the event in its message id
	message map[string]any // what the event says beside the order
	refund  *ledger.Refund
}

// happened adds to the history of an order, and has others told. It reports false,
// and changes nothing, if the history has it.
func (st *step) happened(o ledger.Order, h happening) (isNew bool, err error) {
	isNew, err = st.AddEvent(ledger.Event{Subject: o.ID, Shop: o.Shop, At: st.now, Kind: h.kind, About: h.about, Data: h.data})
	if err != nil || !isNew {
		return false, err
	}
	change := Change{Kind: h.kind, Event: h.event, Shop: o.Shop, Order: o, Refund: h.refund, StatusChanged: h.statusChanged, log: h.log}
	if h.event != "" {
		change.Data = orderData(o, h.message)
		err := st.tell(o.Shop, message{subject: o.ID, event: h.event, id: MessageID(o.ID, h.key), data: change.Data, fields: o.Intent.Fields})
		if err != nil {
			return false, err
		}
	}
	st.changes = append(st.changes, change)
	return true, nil
}

// tell has others told of what happens in this step, by the shop that it is about.
func (st *step) tell(shop string, m message) error {
	service := st.Shops.Named(shop)
	if service == nil {
		return nil
	}
	told, err := service.tell(st.Tx, m, st.now)
	st.told = st.told || told
	return err
}

// MessageID names an event in webhook-id and in mails: the same over all attempts,
// restarts and nodes.
func MessageID(subject, key string) string { return "msg_" + segment(subject) + "_" + key }

var plainSegment = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// segment makes a number of the gateway's fit for a message id.
func segment(number string) string {
	if plainSegment.MatchString(number) {
		return number
	}
	return "x" + shortHash(number)
}
