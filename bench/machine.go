package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// conditions say where, when and with what was measured.
func (b *bench) conditions() string {
	return table{
		{"", ""},
		{"when", b.began.UTC().Format("2006-01-02 15:04 UTC") + ", for " + time.Since(b.began).Round(time.Second).String()},
		{"command", "`" + b.command + "` in the folder `bench`"},
		{"commit", b.commit},
		{"machine", fmt.Sprintf("%s, %d cores, %s of memory", cpuModel(), runtime.NumCPU(), memoryTotal())},
		{"system", "Linux " + kernel()},
		{"disk", fmt.Sprintf("%s; one file written, synced and renamed takes %s (median)", fileSystem(b.work), milli(b.syncTime))},
		{"memory disk", fileSystem(b.memory)},
		{"built with", runtime.Version() + ", " + b.caddyVersion()},
		{"Flask", b.flaskVersions()},
	}.markdown() + "\n" + setting + "\n"
}

const setting = `Each server is a process of its own; the load and the simulated gateway are two more on the same machine, so that rates are those of
all three together, and what a server costs by itself is its processor time per operation. The simulator is strict: it checks every
parameter and signature, and one payment that fails, or one wrong answer, ends the run. The plugin has its default configuration; none of its limits
had to be lifted, because it limits what is refused, what is not vouched for, and what browsers make it ask the gateway: here, as at
the gateway, shops learn of payments by notification. The gateway's own limit of 400 calls a minute is off, but for many shops that sell. *Minimal*
is a hand-written Go program that does the flow and remembers nothing; *durable* is the same program writing three files for each payment, each
synced and renamed as Caddy's file storage does, two before the payment call and one before the redirect. The Flask program keeps nothing
but a signed cookie, and keeps its connections to the gateway, which is more than the documentation's sample does.
`

// measureSync fills in how long one synced write takes.
func (b *bench) measureSync() error {
	var times []time.Duration
	for range 50 {
		took, err := timed(func() error { return writeSynced(filepath.Join(b.work, "sync"), make([]byte, 500)) })
		if err != nil {
			return err
		}
		times = append(times, took)
	}
	b.syncTime = median(seconds(times))
	return nil
}

func commit() string {
	text, err := exec.Command("git", "describe", "--always", "--dirty", "--abbrev=12").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(text))
}

func cpuModel() string { return lineOf("/proc/cpuinfo", "model name") }

func memoryTotal() string {
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) != nil {
		return "unknown size"
	}
	return fmt.Sprintf("%.0f GB", float64(info.Totalram)*float64(info.Unit)/1e9)
}

func kernel() string {
	var name unix.Utsname
	if unix.Uname(&name) != nil {
		return "unknown"
	}
	return unix.ByteSliceToString(name.Release[:])
}

// lineOf is the first value of a file of names and values.
func lineOf(file, name string) string {
	text, _ := os.ReadFile(file)
	for line := range strings.Lines(string(text)) {
		if before, after, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(before) == name {
			return strings.TrimSpace(after)
		}
	}
	return "unknown"
}

// fileSystem is the type of the file system that a folder is on.
func fileSystem(folder string) string {
	text, _ := os.ReadFile("/proc/self/mounts")
	longest, kind := "", "unknown"
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) < 3 || len(fields[1]) < len(longest) {
			continue
		}
		if rest, under := strings.CutPrefix(folder, strings.TrimRight(fields[1], "/")); under && (rest == "" || rest[0] == '/') {
			longest, kind = fields[1], fields[2]
		}
	}
	return kind
}

// caddyVersion is read from the Caddy that was built.
func (b *bench) caddyVersion() string {
	text, err := exec.Command(b.stock, "version").Output()
	if err != nil {
		return "unknown"
	}
	version, _, _ := strings.Cut(string(text), " ")
	return "Caddy " + version
}

func (b *bench) flaskVersions() string {
	if b.noFlask {
		return "left out"
	}
	text, err := exec.Command("gunicorn", "--version").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(text)) + ", 2 workers"
}
