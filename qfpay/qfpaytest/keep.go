package qfpaytest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

const (
	// keptTrades is how many of the newest trades the file holds.
	keptTrades = 1000

	// maxKept bounds the file that is read, in bytes.
	maxKept = 16 << 20
)

// kept is what the file holds.
type kept struct {
	AppCode string      `json:"app_code"`
	Entries int         `json:"entries"`
	Trades  []keptTrade `json:"trades"`
}

// keptTrade is a trade with what its JSON leaves out. Of the parameters of the
// payment it has only those that are needed again: the others name the payer.
type keptTrade struct {
	Trade
	PayParams      PayParams `json:"pay_params,omitzero"`
	PayURL         string    `json:"pay_url,omitempty"`
	ReturnURL      string    `json:"return_url,omitempty"`
	OpenRespcd     string    `json:"open_respcd,omitempty"`
	Unlisted       bool      `json:"unlisted,omitempty"`
	RefundedAt     time.Time `json:"refunded_at,omitzero"`
	UnshownRefunds int64     `json:"unshown_refunds,omitempty"`
	Unshown        bool      `json:"unshown,omitempty"`
	PrepayID       string    `json:"prepay_id,omitempty"`
	Ticket         string    `json:"ticket,omitempty"`
}

func keptOf(t *Trade) keptTrade {
	return keptTrade{
		Trade: *t, PayParams: t.PayParams, PayURL: t.PayURL, ReturnURL: t.Params["return_url"], OpenRespcd: t.openRespcd,
		Unlisted: t.unlisted, RefundedAt: t.refundedAt, UnshownRefunds: t.unshownRefunds, Unshown: t.unshown,
		PrepayID: t.prepayID, Ticket: t.ticket,
	}
}

func (k keptTrade) trade() *Trade {
	t := k.Trade
	t.PayParams, t.PayURL, t.openRespcd = k.PayParams, k.PayURL, k.OpenRespcd
	t.unlisted, t.refundedAt, t.unshownRefunds, t.unshown = k.Unlisted, k.RefundedAt, k.UnshownRefunds, k.Unshown
	t.prepayID, t.ticket = k.PrepayID, k.Ticket
	if k.ReturnURL != "" {
		t.Params = params{"return_url": k.ReturnURL}
	}
	return &t
}

// keep writes the newest trades to the file, if there is one. The simulator goes on
// where it cannot be written. The caller holds the lock.
func (s *Simulator) keep() {
	if s.cfg.File == "" {
		return
	}
	trades := s.book.trades.all()
	state := kept{AppCode: s.cfg.AppCode, Entries: s.book.entries}
	for _, t := range trades[max(0, len(trades)-keptTrades):] {
		state.Trades = append(state.Trades, keptOf(t))
	}
	if err := writeWhole(s.cfg.File, state); err != nil {
		s.cfg.Logger.Error("the simulator's trades could not be kept: after a restart it does not know them", "error", err)
	}
}

// recall reads the trades that were kept before. That there is no file is no error.
func (s *Simulator) recall() error {
	if s.cfg.File == "" {
		return nil
	}
	file, err := os.Open(s.cfg.File)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("qfpaytest: File: %w", err)
	}
	defer func() { _ = file.Close() }()
	var state kept
	if err := json.NewDecoder(io.LimitReader(file, maxKept)).Decode(&state); err != nil {
		return fmt.Errorf("qfpaytest: %s does not hold a simulator's trades: remove it, or name another file", s.cfg.File)
	}
	if state.AppCode != s.cfg.AppCode {
		return fmt.Errorf("qfpaytest: %s holds the trades of another app_code: name another file", s.cfg.File)
	}
	for _, k := range state.Trades {
		s.book.add(k.trade())
	}
	s.book.entries = state.Entries
	return nil
}

// writeWhole puts a value in the place of a file as a whole, or not at all: whoever
// is killed while writing leaves the file as it was. Only its owner can read it.
func writeWhole(name string, value any) (err error) {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	folder := filepath.Dir(name)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	file, err := os.CreateTemp(folder, filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(file.Name())
		}
	}()
	_, err = file.Write(text)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), name)
}
