package orders

import (
	"context"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// MaxNote bounds a note in characters.
const MaxNote = 200

// Fulfil notes that the shop has done its part of an order, and what it tells the
// payer with that, such as a tracking number; "" for nothing. Of an order that is
// fulfilled already it changes the note; the same note changes nothing. Only an order
// that is paid, and of which not all went back, can be fulfilled.
func (s *Service) Fulfil(ctx context.Context, id, note string) (ledger.Order, error) {
	note = strings.TrimSpace(note)
	if !isNote(note) {
		return ledger.Order{}, refuse(Invalid, "a note is one line of at most %d characters", MaxNote)
	}
	return s.changeOwn(ctx, id, func(st *step, o *ledger.Order) error {
		switch {
		case !o.Status.Paid():
			return refuse(Conflict, "the order is %s: only one that is paid can be fulfilled", o.Status)
		case o.Status == ledger.StatusRefunded:
			return refuse(Conflict, "the order was refunded: there is nothing to fulfil")
		case !o.FulfilledAt.IsZero() && o.Note == note:
			return nil
		}
		o.FulfilledAt, o.Note = st.now, note
		return st.changeFulfilment(*o, happening{
			kind: "fulfilled", data: map[string]any{"note": note}, log: info("fulfilled"),
			event: EventFulfilled, message: map[string]any{"fulfilled_at": st.now.UTC().Format(time.RFC3339Nano), "note": note},
		})
	})
}

// Unfulfil takes back that an order is fulfilled, with its note. Nobody is told:
// what webhooks and payers have been told was said.
func (s *Service) Unfulfil(ctx context.Context, id string) (ledger.Order, error) {
	return s.changeOwn(ctx, id, func(st *step, o *ledger.Order) error {
		if o.FulfilledAt.IsZero() {
			return nil
		}
		o.FulfilledAt, o.Note, o.Ended = time.Time{}, "", st.now // from when on it keeps what the payer told
		return st.changeFulfilment(*o, happening{kind: "unfulfilled", log: info("no longer fulfilled")})
	})
}

// changeOwn changes an order of the shop, as changeOrder does. The error is
// [ledger.ErrUnknown] for those of other shops too. It goes on when whoever asked
// has hung up.
func (s *Service) changeOwn(ctx context.Context, id string, change func(*step, *ledger.Order) error) (ledger.Order, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeLimit)
	defer cancel()
	return s.changeOrder(ctx, id, func(st *step, o *ledger.Order) error {
		if o.Shop != s.Shop {
			return ledger.ErrUnknown
		}
		return change(st, o)
	})
}

// changeFulfilment adds to the history of an order what may happen more than once:
// it has a number from the second time on.
func (st *step) changeFulfilment(o ledger.Order, h happening) error {
	events, err := st.Events(o.ID)
	if err != nil {
		return err
	}
	times := 1
	for _, event := range events {
		if event.Kind == h.kind {
			times++
		}
	}
	h.key = h.kind
	if times > 1 {
		h.about = strconv.Itoa(times)
		h.key += "-" + h.about
		h.log.fields = append(h.log.fields, zap.Int("times", times))
	}
	_, err = st.happened(o, h)
	return err
}

// isNote reports whether a note fits in one line that people can read.
func isNote(note string) bool {
	return utf8.ValidString(note) && utf8.RuneCountInString(note) <= MaxNote && !strings.ContainsFunc(note, isBreak)
}

// isBreak reports whether a character ends a line or is none that can be seen.
func isBreak(r rune) bool { return unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp) }
