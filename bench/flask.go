package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// checkFlask says what to install if Flask or gunicorn is missing.
func (b *bench) checkFlask() error {
	if b.noFlask {
		return nil
	}
	if _, err := exec.LookPath("gunicorn"); err != nil {
		return errors.New("gunicorn is missing, which runs the Flask program that is compared with: apt-get install gunicorn python3-flask")
	}
	command := exec.Command("gunicorn", "--chdir", "flask", "--check-config", "app:app")
	command.Env = append(os.Environ(), b.flaskEnv("127.0.0.1:1")...)
	if text, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("the Flask program that is compared with does not load: %w; apt-get install gunicorn python3-flask\n%s", err, text)
	}
	return nil
}

func (b *bench) flaskEnv(gateway string) []string {
	return []string{"BENCH_GATEWAY=" + gateway, "BENCH_APP_CODE=" + appCode, keyVariable + "=" + clientKey, "PYTHONDONTWRITEBYTECODE=1"}
}

// The ways in which gunicorn runs the program, each with two workers.
const (
	flaskSync    = "sync"
	flaskThreads = "32 threads"
)

// openFlask runs the Flask program behind gunicorn.
func (b *bench) openFlask(kind string) (*shop, error) {
	s := &shop{name: "Flask, " + kind, address: freeAddress(), gateway: b.gateway.address}
	args := []string{"--chdir", "flask", "--bind", s.address, "--workers", "2", "--log-level", "warning", "--timeout", "120"}
	if kind == flaskThreads {
		args = append(args, "--worker-class", "gthread", "--threads", "32", "--keep-alive", "75")
	}
	p, err := b.launch(s.name, b.flaskEnv(s.gateway), "gunicorn", append(args, "app:app")...)
	if err != nil {
		return nil, err
	}
	s.processes = []*process{p}
	return s, p.ready(s.address, "/")
}

// openFront runs a Caddy in front of a Flask program of its own.
func (b *bench) openFront(kind string) (*shop, error) {
	flask, err := b.openFlask(kind)
	if err != nil {
		return nil, err
	}
	front, err := b.openCaddy("Caddy + "+flask.name, b.stock, b.work, "reverse_proxy /pay/* "+flask.address)
	if err != nil {
		return nil, err
	}
	front.processes = append(front.processes, flask.processes...)
	return front, nil
}

// openFlasks runs the Flask program in every way, alone and behind Caddy; not at
// all if it is left out.
func (b *bench) openFlasks() (all []*shop, err error) {
	if b.noFlask {
		return nil, nil
	}
	for _, open := range []func(string) (*shop, error){b.openFlask, b.openFront} {
		for _, kind := range []string{flaskSync, flaskThreads} {
			s, err := open(kind)
			if err != nil {
				return nil, err
			}
			all = append(all, s)
		}
	}
	return all, nil
}

// isFlask and isFronted tell the contenders apart by their names.
func isFlask(name string) bool { return strings.Contains(name, "Flask") }

func isFronted(name string) bool { return strings.HasPrefix(name, "Caddy + Flask") }
