package cluster

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// gate is a place at which something waits until the test lets it go on.
type gate struct {
	arrived chan struct{}
	resume  chan struct{}
	open    func()
}

func newGate(t testing.TB) *gate {
	g := &gate{arrived: make(chan struct{}), resume: make(chan struct{})}
	g.open = sync.OnceFunc(func() { close(g.resume) })
	t.Cleanup(g.open)
	return g
}

// reached returns when something waits at the gate.
func (g *gate) reached(t testing.TB) {
	t.Helper()
	select {
	case <-g.arrived:
	case <-time.After(patience):
		require.Fail(t, "nothing came to the gate")
	}
}

// wait is for the one that waits at the gate.
func (g *gate) wait() {
	close(g.arrived)
	<-g.resume
}
