package ledger

import (
	"context"
	"encoding/json"
	"path"
)

// News is a fact of an order that stands on the index as well. It leads the node
// that looks after open orders there, whichever node wrote it, and stays until
// the order is taken off by somebody who knows the fact.
type News struct{ Order, Fact string }

// Add records a fact of an order that may have left the index, or is just being
// taken off. It writes the fact as news first: from that write on it is not lost,
// should the writer die, as [Ledger.Keep] makes it one of the order's facts. That
// is why it tries a few times to do so itself.
func (l *Ledger) Add(ctx context.Context, order string, fact Fact) error {
	if err := l.Announce(ctx, order, fact); err != nil {
		return err
	}
	return l.insist(ctx, func() error { return l.Record(ctx, order, fact) })
}

// Announce makes news of a fact that is recorded already.
func (l *Ledger) Announce(ctx context.Context, order string, fact Fact) error {
	if _, err := l.orderFolder(order); err != nil {
		return err
	}
	return l.store(ctx, l.newsKey(News{order, fact.name()}), fact)
}

// Keep makes news one of the order's facts, unless it is: whoever wrote it may
// have died in between.
func (l *Ledger) Keep(ctx context.Context, news News) error {
	folder, err := l.orderFolder(news.Order)
	if err != nil {
		return err
	}
	key := path.Join(folder, news.Fact+".json")
	if l.storage.Exists(ctx, key) {
		return nil
	}
	var fact json.RawMessage
	present, err := load(ctx, l.storage, l.newsKey(news), &fact)
	if err != nil || !present {
		return err
	}
	return l.store(ctx, key, fact)
}

func (l *Ledger) newsKey(news News) string { return l.openKey(news.Order) + "." + news.Fact }
