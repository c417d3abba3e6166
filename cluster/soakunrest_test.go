package cluster

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"time"

	"github.com/stretchr/testify/require"
)

// disturbNodes reloads a node every few seconds, and kills one at every fourth
// time.
func (s *soak) disturbNodes(storm context.Context) {
	dice := s.dice("unrest")
	for turn := 1; pause(storm, between(dice, 500*time.Millisecond, 3500*time.Millisecond)); turn++ {
		victim := oneOf(dice, s.front.nodes...)
		if turn%4 != 2 {
			victim.reload()
			continue
		}
		s.endLife(victim)
		pause(storm, between(dice, 0, 3*time.Second))
		s.beginLife(victim)
		victim.start()
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
