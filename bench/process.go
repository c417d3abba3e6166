package main

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// process is one server under measurement, with all processes that it starts.
type process struct {
	name    string
	log     string // file
	command *exec.Cmd
	exited  chan struct{} // closed when it is gone
}

// readyTime bounds how long a server may take to answer.
const readyTime = 30 * time.Second

// launch starts a process. What it prints goes to a file, as it would under a
// service manager.
func (b *bench) launch(name string, env []string, command string, args ...string) (*process, error) {
	b.launched++
	p := &process{name: name, log: filepath.Join(b.work, fmt.Sprintf("%03d-%s.log", b.launched, strings.ReplaceAll(name, " ", "-")))}
	log, err := os.Create(p.log)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	p.command = exec.Command(command, args...)
	p.command.Env = append(append(os.Environ(), "HOME="+b.work, "XDG_DATA_HOME="+b.work, "XDG_CONFIG_HOME="+b.work, keyVariable+"="+clientKey), env...)
	p.command.Stdout, p.command.Stderr = log, log
	if err := p.command.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	p.exited = make(chan struct{})
	go func() {
		defer close(p.exited)
		_ = p.command.Wait()
	}()
	b.processes = append(b.processes, p)
	return p, nil
}

// ready waits until the process answers a request with 200.
func (p *process) ready(address, path string) error {
	line := newLine(address)
	defer line.close()
	for end := time.Now().Add(readyTime); time.Now().Before(end); {
		select {
		case <-p.exited:
			return p.failure(errors.New("it ended by itself"))
		default:
		}
		if answer, err := line.get(path, nil); err == nil && answer.status == 200 {
			return nil
		}
		line.close()
		time.Sleep(250 * time.Microsecond)
	}
	return p.failure(fmt.Errorf("it does not answer at http://%s%s", address, path))
}

// failure adds the end of what the process printed to an error.
func (p *process) failure(err error) error {
	log, _ := os.ReadFile(p.log)
	lines := bytes.Split(bytes.TrimSpace(log), []byte("\n"))
	return fmt.Errorf("%s: %w\nthe last that it printed:\n%s", p.name, err, bytes.Join(lines[max(0, len(lines)-8):], []byte("\n")))
}

// stop ends the process, and by force if it takes long.
func (p *process) stop() {
	_ = p.command.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.exited:
	case <-time.After(10 * time.Second):
		_ = p.command.Process.Kill()
		<-p.exited
	}
}

// cpu is the processor time that the process and its children have used.
func (p *process) cpu() (time.Duration, error) {
	used, err := familyCPU(p.command.Process.Pid)
	if err != nil {
		err = p.failure(err)
	}
	return used, err
}

func familyCPU(pid int) (sum time.Duration, err error) {
	for i, member := range family(pid) {
		var used unix.Timespec
		err := unix.ClockGettime(cpuClock(member), &used)
		if err != nil && i > 0 { // a child that has just ended
			continue
		}
		if err != nil {
			return 0, fmt.Errorf("the processor time of a process cannot be read: %w", err)
		}
		sum += time.Duration(used.Nano())
	}
	return sum, nil
}

// cpuClock is the clock of another process's processor time, as
// clock_getcpuclockid(3) makes it. It is exact, where /proc counts in
// hundredths of a second.
func cpuClock(pid int) int32 { return int32(^pid<<3 | 2) }

// rss is the memory that the process and its children hold, in bytes.
func (p *process) rss() (int64, error) {
	var sum int64
	for _, pid := range family(p.command.Process.Pid) {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
		fields := strings.Fields(string(text))
		if err != nil || len(fields) < 2 {
			return 0, p.failure(fmt.Errorf("its memory cannot be read: %w", err))
		}
		pages, err := strconv.ParseInt(fields[1], 10, 64)
		if err != nil {
			return 0, err
		}
		sum += pages * int64(os.Getpagesize())
	}
	return sum, nil
}

// family is a process and all that descend from it.
func family(pid int) []int {
	all := []int{pid}
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	for _, child := range strings.Fields(string(text)) {
		if number, err := strconv.Atoi(child); err == nil {
			all = append(all, family(number)...)
		}
	}
	return all
}

var nextPort = 10000 + rand.IntN(8000) // below the ports that the system hands out by itself

// freeAddress finds an address that can be listened on. None is given out twice.
func freeAddress() string {
	for {
		nextPort++
		address := fmt.Sprintf("127.0.0.1:%d", nextPort)
		if listener, err := net.Listen("tcp", address); err == nil {
			listener.Close()
			return address
		}
	}
}
