package cluster

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/postgrestest"
)

// disturb reloads a node every few seconds, kills one at every fourth time, and at
// every other fourth time restarts PostgreSQL or breaks its connections.
func (s *soak) disturb(storm context.Context) {
	dice := s.dice("unrest")
	for number := 1; pause(storm, between(dice, 500*time.Millisecond, 3500*time.Millisecond)); number++ {
		victim := oneOf(dice, s.front.nodes...)
		switch number % 4 {
		case 2:
			s.endLife(victim)
			pause(storm, between(dice, 0, 3*time.Second))
			s.beginLife(victim)
			victim.start()
		case 0:
			breakOff := oneOf(dice, s.cable.cut, s.server.KillConnections,
				func() { s.server.Restart(postgrestest.Fast) }, func() { s.server.Restart(postgrestest.Immediate) })
			breakOff()
			s.outages = append(s.outages, time.Now())
		default:
			victim.reload()
		}
	}
}

// reload loads the node's configuration again, as `caddy reload --force` does.
func (n *node) reload() {
	n.t.Helper()
	text, err := os.ReadFile(n.caddyfile())
	require.NoError(n.t, err)
	r, err := http.NewRequest(http.MethodPost, "http://"+n.admin+"/load", bytes.NewReader(text))
	require.NoError(n.t, err)
	r.Header.Set("Content-Type", "text/caddyfile")
	r.Header.Set("Cache-Control", "must-revalidate")
	answer, err := http.DefaultClient.Do(r)
	require.NoError(n.t, err, "reloading node %s", n.name)
	_ = answer.Body.Close()
	require.Equal(n.t, http.StatusOK, answer.StatusCode, "reloading node %s", n.name)
}
