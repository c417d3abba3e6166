// Command bench measures the plugin side by side with Caddy itself, with
// hand-written programs and with Flask, and writes tables and charts.
//
//	cd bench && go run .
//
// It builds what it measures, runs every server as a process of its own, and
// needs Linux, Go, gunicorn and Flask (Debian: gunicorn python3-flask).
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// bench is one run.
type bench struct {
	short   bool
	noFlask bool
	out     string
	memory  string // folder on a memory disk
	command string

	profiles  string // folder; empty for none
	measuring string // the measurement that is under way
	profiled  int

	began     time.Time
	commit    string  // before charts are written over those of another
	syncTime  float64 // seconds for one synced write
	work      string  // folder for everything, on the disk that is measured
	site      string  // folder of static files
	self      string  // this program
	stock     string  // Caddy as it is
	plugin    string  // Caddy with the plugin
	clustered string  // Caddy with the plugin and PostgreSQL
	gateway   *gateway
	filled    map[string]string // folders of ledgers that are filled with orders, by how many
	launched  int
	processes []*process
}

// ours is the name of the plugin in tables.
const ours = "qfpay_jsapi"

// measurements in the order in which they run.
var measurements = []struct {
	name    string
	measure func(*bench) (section, error)
}{
	{"pass-through", (*bench).passThrough},
	{"start", (*bench).start},
	{"flow", (*bench).flow},
	{"overhead", (*bench).overhead},
	{"in-flight", (*bench).inFlight},
	{"growth", (*bench).growth},
	{"lists", (*bench).lists},
	{"shops", (*bench).shops},
	{"postgres", (*bench).postgres},
	{"scale", (*bench).scale},
}

// byNameAlone take so long that their full form runs only if -only names them.
var byNameAlone = []string{"scale"}

func main() {
	if len(os.Args) > 2 && os.Args[1] == "serve" {
		exit(serve(os.Args[2], os.Args[3:]))
	}
	b := &bench{began: time.Now(), commit: commit(), command: "go run . " + strings.Join(os.Args[1:], " ")}
	b.command = strings.TrimSpace(b.command)
	only := flag.String("only", "", "measure these only, with commas between: "+names())
	disk := flag.String("disk", os.TempDir(), "a folder on the disk that payments are written to")
	flag.BoolVar(&b.short, "short", false, "a few seconds for each measurement: shows that everything works, judges nothing")
	flag.BoolVar(&b.noFlask, "no-flask", false, "leave out the Flask program, and what it needs")
	flag.StringVar(&b.out, "out", "results", "the folder that gets the tables and charts")
	flag.StringVar(&b.memory, "memory", "/dev/shm", "a folder on a memory disk")
	flag.StringVar(&b.profiles, "profile", "", "a folder that gets profiles and traces of the plugin in start, flow and overhead; taking them costs time, which then counts against it")
	flag.Parse()
	exit(b.run(*disk, *only))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// serve is what this program does as one of its own servers.
func serve(what string, args []string) error {
	switch what {
	case "gateway":
		return serveGateway(args)
	case "minimal":
		return serveMinimal(args)
	default:
		return fmt.Errorf("there is no %q to serve", what)
	}
}

func names() string {
	var all []string
	for _, m := range measurements {
		all = append(all, m.name)
	}
	return strings.Join(all, ",")
}

func (b *bench) run(disk, only string) error {
	chosen, err := b.choose(only)
	if err != nil {
		return err
	}
	defer b.end()
	go b.endOnSignal()
	if err := b.prepare(disk); err != nil {
		return err
	}
	var sections []section
	for _, m := range measurements {
		if !slices.Contains(chosen, m.name) {
			continue
		}
		began := time.Now()
		b.measuring = m.name
		s, err := m.measure(b)
		if err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		s.name = m.name
		sections = append(sections, s)
		fmt.Fprintf(os.Stderr, "%s: %s\n", m.name, time.Since(began).Round(time.Second))
	}
	if err := b.write(sections); err != nil {
		return err
	}
	fmt.Print(b.markdown(sections))
	return nil
}

func (b *bench) choose(only string) ([]string, error) {
	all := strings.Split(names(), ",")
	switch {
	case only == "" && b.short:
		return all, nil
	case only == "":
		return slices.DeleteFunc(all, func(name string) bool { return slices.Contains(byNameAlone, name) }), nil
	}
	chosen := strings.Split(only, ",")
	for _, name := range chosen {
		if !slices.Contains(all, name) {
			return nil, fmt.Errorf("there is no measurement %q; choose from %s", name, names())
		}
	}
	return chosen, nil
}

// prepare makes everything that the measurements share.
func (b *bench) prepare(disk string) (err error) {
	if b.self, err = os.Executable(); err != nil {
		return err
	}
	if b.work, err = os.MkdirTemp(disk, "qfpay-bench-"); err != nil {
		return err
	}
	if b.work, err = filepath.Abs(b.work); err != nil {
		return err
	}
	if b.memory, err = os.MkdirTemp(b.memory, "qfpay-bench-"); err != nil {
		return fmt.Errorf("%w; name a folder on a memory disk with -memory", err)
	}
	if err := errors.Join(b.checkFlask(), checkFiles(), b.makeSite()); err != nil {
		return err
	}
	if err := errors.Join(b.buildCaddies(), b.measureSync()); err != nil {
		return err
	}
	b.gateway, err = b.openGateway()
	return err
}

// checkFiles looks whether thousands of connections can be open.
func checkFiles() error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	if limit.Cur < 2*waiting+1000 {
		return fmt.Errorf("only %d files may be open at once; at least %d are needed: ulimit -n %d", limit.Cur, 2*waiting+1000, 2*waiting+1000)
	}
	return nil
}

// end leaves nothing behind but the results.
func (b *bench) end() {
	for _, p := range b.processes {
		p.stop()
	}
	for _, folder := range []string{b.work, b.memory} {
		if strings.Contains(folder, "qfpay-bench-") {
			os.RemoveAll(folder)
		}
	}
}

func (b *bench) endOnSignal() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	<-signals
	b.end()
	os.Exit(1)
}

// pick chooses between the full and the short form.
func pick[T any](b *bench, full, short T) T {
	if b.short {
		return short
	}
	return full
}

// warmUps are the rounds that are not counted.
func (b *bench) warmUps() int { return pick(b, 1, 0) }

// folder makes an empty folder for a server's data.
func (b *bench) folder(disk string) (string, error) { return os.MkdirTemp(disk, "data-") }

// prove makes one payment at a shop and looks at all its pages.
func (b *bench) prove(s *shop) error {
	if err := b.gateway.slow(0); err != nil {
		return err
	}
	p := newPayer(s)
	defer p.leave()
	callback, err := p.begin()
	if err != nil {
		return s.fails(err)
	}
	payPage, err := p.call(callback)
	if err == nil {
		err = errors.Join(p.openPayPage(payPage), p.payAndReturn(payPage))
	}
	if err != nil {
		return s.fails(err)
	}
	return nil
}
