package ledger

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestMain is also the process that is killed.
func TestMain(m *testing.M) {
	if file := os.Getenv("LEDGER_TEST_CHILD"); file != "" {
		child(file)
	}
	os.Exit(m.Run())
}

// wholeStep writes a number in a row, and rows in three other tables, in one
// transaction. It reports the number.
func wholeStep(number *atomic.Int64) func(*Tx) error {
	o := testOrder()
	return func(tx *Tx) error {
		var n int64
		if _, err := tx.scanInto([]any{&n}, "SELECT COUNT(*) + 1 FROM invoices"); err != nil {
			return err
		}
		if _, err := tx.exec("INSERT INTO invoices (shop, invoice) VALUES ('number', ?)", n); err != nil {
			return err
		}
		if _, err := tx.Claim(o); err != nil {
			return err
		}
		if _, err := tx.AddEvent(Event{Subject: o.ID, Shop: "shop", At: noon, Kind: "claimed", Data: map[string]any{"text": strings.Repeat("x", 500)}}); err != nil {
			return err
		}
		if number != nil {
			number.Store(n)
		}
		return nil
	}
}

// halfStep fails after it has written something.
func halfStep(tx *Tx) error {
	return errors.Join(wholeStep(nil)(tx), errors.New("on purpose"))
}

// requireWhole checks that the ledger is intact and holds whole steps only, and
// returns how many.
func requireWhole(t testing.TB, l Ledger) (steps int) {
	t.Helper()
	require.NoError(t, l.View(t.Context(), func(tx *Tx) error {
		var intact string
		if _, err := tx.scanInto([]any{&intact}, "PRAGMA integrity_check"); err != nil {
			return err
		}
		require.Equal(t, "ok", intact)
		var last, orders, events, sums, strays int
		_, err := tx.scanInto([]any{&steps, &last, &orders, &events, &sums, &strays}, `SELECT
			(SELECT COUNT(*) FROM invoices), (SELECT COALESCE(MAX(CAST(invoice AS INTEGER)), 0) FROM invoices),
			(SELECT COUNT(*) FROM orders), (SELECT COUNT(*) FROM events), (SELECT COALESCE(SUM(orders), 0) FROM sums),
			(SELECT COUNT(*) FROM orders WHERE id NOT IN (SELECT subject FROM events))`)
		require.Equal(t, []int{steps, steps, steps, steps, 0}, []int{last, orders, events, sums, strays}, "half a step")
		return err
	}))
	return steps
}

// disk is what is on the disk at a moment.
type disk struct {
	db, wal []byte
	steps   int // that were committed
}

func readDisk(t testing.TB, file string, steps int) disk {
	t.Helper()
	db, err := os.ReadFile(file)
	require.NoError(t, err)
	wal, err := os.ReadFile(file + "-wal")
	if !errors.Is(err, os.ErrNotExist) {
		require.NoError(t, err)
	}
	return disk{db, wal, steps}
}

// stepsOn opens what is on a disk after the power came back.
func stepsOn(t testing.TB, d disk) int {
	t.Helper()
	folder, err := os.MkdirTemp(memory(), "ledger") // there are many in one test
	require.NoError(t, err)
	file := filepath.Join(folder, "ledger.db")
	require.NoError(t, os.WriteFile(file, d.db, 0o600))
	require.NoError(t, os.WriteFile(file+"-wal", d.wal, 0o600))
	opened, err := OpenSQLite(t.Context(), file, nil)
	require.NoError(t, err)
	defer os.RemoveAll(folder)
	defer opened.Close()
	return requireWhole(t, opened)
}

// memory is a folder that no disk makes slow, where there is one.
func memory() string {
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		return "/dev/shm"
	}
	return ""
}

// runSteps makes steps by several writers, some of which fail.
func runSteps(t testing.TB, opened *SQLite, each int, number *atomic.Int64) {
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			for i := range each {
				assert.NoError(t, opened.Update(t.Context(), wholeStep(number)))
				if i%3 == 0 {
					assert.Error(t, opened.Update(t.Context(), halfStep))
				}
			}
		})
	}
	all.Wait()
}

const (
	walHeader = 32
	walFrame  = 24 + 4096
)

func TestAPowerCutLosesNothingThatWasAcknowledged(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ledger.db")
	opened := openTest(t, file)
	var number atomic.Int64
	disks := []disk{readDisk(t, file, 0)}
	opened.committed = func() { disks = append(disks, readDisk(t, file, int(number.Load()))) }
	runSteps(t, opened, 7, &number)
	require.NoError(t, opened.Update(t.Context(), func(*Tx) error { return nil }))
	require.Greater(t, len(disks), 7)

	for i, d := range disks {
		assert.Equal(t, d.steps, stepsOn(t, d), "the power went after commit %d", i)
	}

	// The log only grows until it is moved into the file. What has to be there
	// after a cut is what was committed when the log was as long.
	whole := disks[len(disks)-1]
	committed := func(length int) (steps int) {
		for _, d := range disks {
			if len(d.wal) <= length {
				steps = max(steps, d.steps)
			}
		}
		return steps
	}
	require.Equal(t, 42, whole.steps)
	first := max(len(disks[0].wal), walHeader)
	require.Zero(t, (first-walHeader)%walFrame)
	random := rand.New(rand.NewPCG(1, 2))
	for border := first; border <= len(whole.wal); border += walFrame {
		for _, beyond := range []int{0, 1 + random.IntN(23), 25 + random.IntN(4000), walFrame - 1} {
			length := min(border+beyond, len(whole.wal))
			cut := disk{db: whole.db, wal: whole.wal[:length]}
			require.Equal(t, committed(length), stepsOn(t, cut), "the log was cut at %d", length)
		}
		for name, tail := range map[string]func() byte{"zeros": func() byte { return 0 }, "noise": func() byte { return byte(random.Uint32()) }} {
			torn := append([]byte(nil), whole.wal...)
			for i := border; i < len(torn); i++ {
				torn[i] = tail()
			}
			require.Equal(t, committed(border), stepsOn(t, disk{db: whole.db, wal: torn}), "%s after %d", name, border)
		}
	}
}

func TestAPowerCutWhileTheLogIsMovedIntoTheFileLosesNothing(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ledger.db")
	opened := openTest(t, file)
	var number atomic.Int64
	runSteps(t, opened, 8, &number)
	before := readDisk(t, file, 48)
	_, err := openRaw(t, file).Exec("PRAGMA wal_checkpoint(FULL)")
	require.NoError(t, err)
	after := readDisk(t, file, 48)
	require.NotEqual(t, before.db, after.db)
	require.Equal(t, 48, stepsOn(t, before))
	random := rand.New(rand.NewPCG(3, 4))
	for range 30 {
		mixed := append([]byte(nil), before.db...)
		mixed = append(mixed, make([]byte, max(0, len(after.db)-len(mixed)))...)
		for page := 0; page < len(after.db); page += 512 { // a sector each
			if random.IntN(2) == 0 {
				copy(mixed[page:page+512], after.db[page:])
			}
		}
		require.Equal(t, 48, stepsOn(t, disk{db: mixed, wal: before.wal}))
	}
}

// child makes steps until it is killed, and says which were acknowledged.
func child(file string) {
	opened, err := OpenSQLite(context.Background(), file, nil)
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	var mu sync.Mutex
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for {
				var number atomic.Int64
				err := opened.Update(context.Background(), wholeStep(&number))
				mu.Lock()
				if err != nil {
					fmt.Println("error", err)
				} else {
					fmt.Println("step", number.Load())
				}
				mu.Unlock()
				_ = opened.Update(context.Background(), halfStep)
			}
		})
	}
	all.Wait()
}

// killed runs a child until it has made some steps, kills it, and returns the
// numbers of the steps that were acknowledged.
func killed(t *testing.T, file string, after int) (numbers []int) {
	program, err := os.Executable()
	if !assert.NoError(t, err) {
		return nil
	}
	command := exec.Command(program)
	command.Env = append(os.Environ(), "LEDGER_TEST_CHILD="+file)
	output, err := command.StdoutPipe()
	if !assert.NoError(t, err) || !assert.NoError(t, command.Start()) {
		return nil
	}
	stop := time.AfterFunc(time.Minute, func() { _ = command.Process.Kill() })
	defer stop.Stop()
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		var number int
		if _, err := fmt.Sscanf(lines.Text(), "step %d", &number); !assert.NoError(t, err, lines.Text()) {
			break
		}
		if numbers = append(numbers, number); len(numbers) == after {
			_ = command.Process.Kill() // SIGKILL
		}
	}
	_ = command.Process.Kill()
	_ = command.Wait()
	assert.GreaterOrEqual(t, len(numbers), after)
	return numbers
}

func TestKillingTheProcessLosesNothingThatWasAcknowledged(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ledger.db")
	var mu sync.Mutex
	seen := map[int]bool{}
	for round := range 4 {
		var both sync.WaitGroup // two processes share the file
		for i := range 2 {
			both.Go(func() {
				numbers := killed(t, file, 20+rand.IntN(150)+i*100)
				mu.Lock()
				defer mu.Unlock()
				for _, number := range numbers {
					assert.False(t, seen[number], "step %d was acknowledged twice", number)
					seen[number] = true
				}
			})
		}
		both.Wait()
		opened := openTest(t, file)
		steps := requireWhole(t, opened)
		for number := range seen {
			assert.LessOrEqual(t, number, steps, "round %d: a step that was acknowledged is gone", round)
		}
		require.NoError(t, opened.Close())
	}
}
