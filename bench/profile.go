package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// profiling takes a profile of the plugin's Caddy for a span, and then a trace,
// from which go tool trace makes profiles of what it waited for. It returns how
// to wait for them. Other servers are left alone.
func (b *bench) profiling(s *shop, span time.Duration) (wait func() error) {
	if b.profiles == "" || !isOurs(s.name) {
		return func() error { return nil }
	}
	b.profiled++
	done := make(chan error, 1)
	go func() {
		err := b.fetchProfile(s, "profile", span/2)
		if err == nil {
			err = b.fetchProfile(s, "trace", span/4)
		}
		done <- err
	}()
	return func() error { return <-done }
}

// isOurs reports whether a server is one of the plugin alone.
func isOurs(name string) bool { return name == ours || name == onOneNode }

// snapshot takes a profile of what the plugin's Caddy holds at the moment. Other
// servers are left alone.
func (b *bench) snapshot(s *shop, kind string) error {
	if b.profiles == "" || !isOurs(s.name) {
		return nil
	}
	b.profiled++
	return b.fetch(s, kind, "")
}

// fetchProfile asks Caddy's admin API, which counts in whole seconds for the
// profile.
func (b *bench) fetchProfile(s *shop, kind string, span time.Duration) error {
	return b.fetch(s, kind, fmt.Sprintf("?seconds=%d", max(1, int(span.Seconds()))))
}

func (b *bench) fetch(s *shop, kind, query string) error {
	response, err := http.Get(fmt.Sprintf("http://%s/debug/pprof/%s%s", s.admin, kind, query))
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("the admin API answered %s for a %s: %.200q", response.Status, kind, text)
	}
	if err != nil {
		return err
	}
	if err := os.MkdirAll(b.profiles, 0o755); err != nil {
		return err
	}
	name := fmt.Sprintf("%s-%02d.%s", strings.ReplaceAll(b.measuring, " ", "-"), b.profiled, kind)
	return os.WriteFile(filepath.Join(b.profiles, name), text, 0o644)
}
