package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime/debug"

	"go.uber.org/zap"
)

var (
	errStepPanicked = errors.New("the step panicked")
	errStepExited   = errors.New("the step ended its goroutine")
)

// sqliteWorker runs steps on a connection of its own. There is one that writes;
// those that read run one step at a time.
type sqliteWorker struct {
	ledger *SQLite
	db     *sql.DB
	jobs   chan *job
	begin  string // opens a transaction
	most   int    // steps in a transaction
	writes bool

	conn    *sqliteConn // nil until it is needed, and after a failure
	batch   []*job      // what is being worked at
	current *job        // whose step runs
}

// run works until the ledger is closed. Nothing that a step does ends it: if it
// takes the goroutine with it, another one goes on.
func (w *sqliteWorker) run() {
	ended := false
	defer func() {
		if ended {
			w.ledger.running.Done()
			return
		}
		w.recovered(recover())
		go w.run()
	}()
	for {
		w.work()
		select {
		case <-w.ledger.closing:
			ended = true
			return
		case first := <-w.jobs:
			w.gather(first)
		}
	}
}

// recovered brings the worker back into a state to go on from. The steps that it
// had not answered but for the one that caused this run again.
func (w *sqliteWorker) recovered(cause any) {
	if cause != nil {
		w.ledger.log.Error("a worker of the ledger panicked", zap.Any("panic", cause), zap.ByteString("stack", debug.Stack()))
	}
	_ = w.disconnect()
	guilty := w.current
	w.current = nil
	if guilty == nil && len(w.batch) > 0 { // nobody's step: do not try the same again and again
		for _, j := range w.batch {
			j.answer(errStepPanicked)
		}
	}
	if guilty != nil {
		guilty.answer(errStepExited)
	}
}

// gather takes the steps that wait besides the first.
func (w *sqliteWorker) gather(first *job) {
	w.batch = append(w.batch[:0], first)
	for len(w.batch) < w.most {
		select {
		case j := <-w.jobs:
			w.batch = append(w.batch, j)
		default:
			return
		}
	}
}

// work runs the batch, together, and those steps alone that could not be committed
// together: one of them may be too much for a full disk, and the others not.
func (w *sqliteWorker) work() {
	together := unanswered(w.batch)
	if len(together) > 0 {
		w.transact(together)
	}
	if len(together) > 1 {
		for _, j := range unanswered(together) {
			w.transact([]*job{j})
		}
	}
	clear(w.batch)
	w.batch = w.batch[:0]
}

func unanswered(jobs []*job) []*job {
	var left []*job
	for _, j := range jobs {
		if !j.answered {
			left = append(left, j)
		}
	}
	return left
}

// transact runs steps in one transaction and answers them. It leaves those
// unanswered that were undone by what others did, if there are several.
func (w *sqliteWorker) transact(jobs []*job) {
	var ran []*job // in the open transaction
	for i, j := range jobs {
		if !j.take() { // its caller has gone
			j.answered = true
			continue
		}
		if err := w.open(len(ran)); err != nil {
			_ = w.disconnect() // what ends every transaction
			if len(ran) == 0 { // nothing can begin now
				w.answer(jobs[i:], err)
			}
			return
		}
		err := w.call(j)
		kept := w.end(len(ran), err)
		if err != nil {
			w.answer([]*job{j}, err)
		}
		if kept != nil {
			_ = w.disconnect()
			return
		}
		if err == nil {
			ran = append(ran, j)
		}
	}
	if len(ran) == 0 {
		return
	}
	if err := w.conn.exec("COMMIT"); err != nil {
		_ = w.disconnect()
		if len(jobs) == 1 {
			w.answer(jobs, err)
		}
		return
	}
	if w.writes && w.ledger.committed != nil {
		w.ledger.committed()
	}
	w.answer(ran, nil)
}

func (w *sqliteWorker) answer(jobs []*job, err error) {
	for _, j := range jobs {
		j.answer(w.ledger.explain(err))
	}
}

// open prepares the transaction for a step, after so many others.
func (w *sqliteWorker) open(others int) error {
	if others > 0 {
		return w.conn.exec("SAVEPOINT step") // what comes after is undone up to here
	}
	if w.writes || w.conn == nil {
		if err := w.ledger.checkSame(); err != nil {
			return err
		}
	}
	if w.conn == nil {
		conn, err := connect(context.Background(), w.db)
		if err != nil {
			return err
		}
		w.conn = conn
	}
	return w.conn.exec(w.begin)
}

// end keeps what a step did in the transaction, or takes it back if the step
// failed. The error says that the transaction of the others is gone too.
func (w *sqliteWorker) end(others int, failed error) error {
	switch {
	case others == 0 && failed == nil:
		return nil
	case others == 0:
		if err := w.conn.exec("ROLLBACK"); err != nil {
			_ = w.disconnect()
		}
		return nil
	case failed != nil:
		if err := w.conn.exec("ROLLBACK TO step"); err != nil {
			return err
		}
	}
	return w.conn.exec("RELEASE step")
}

// call runs a step.
func (w *sqliteWorker) call(j *job) (err error) {
	steps := &sqliteStep{ctx: j.ctx, conn: w.conn}
	w.current = j
	returned := false
	defer func() {
		steps.ended = true
		if returned {
			return
		}
		if cause := recover(); cause != nil {
			w.current = nil
			j.panicked, err = cause, errStepPanicked
			w.ledger.log.Error("a step in the ledger panicked", zap.ByteString("stack", debug.Stack()))
		}
	}()
	err = j.step(NewTx(j.ctx, steps, SQLiteDialect, w.writes))
	returned = true
	w.current = nil
	if err == nil {
		err = steps.failed
	}
	return err
}

func (w *sqliteWorker) disconnect() error {
	if w.conn == nil {
		return nil
	}
	conn := w.conn
	w.conn = nil
	if err := conn.close(); err != nil {
		return fmt.Errorf("closing a connection: %w", err)
	}
	return nil
}
