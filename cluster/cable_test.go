package cluster

import (
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// cable is the way from the nodes to PostgreSQL. It can fall silent, and lose its
// connections in the middle of whatever they carry.
type cable struct {
	listener net.Listener
	server   string
	ends     sync.WaitGroup

	mu     sync.Mutex
	thawed *sync.Cond
	silent bool
	conns  map[net.Conn]bool // both ends of each
}

func newCable(t testing.TB, server string) *cable {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	c := &cable{listener: listener, server: server, conns: make(map[net.Conn]bool)}
	c.thawed = sync.NewCond(&c.mu)
	c.ends.Go(func() {
		for {
			node, err := listener.Accept()
			if err != nil {
				return
			}
			c.ends.Go(func() { c.connect(node) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		c.thaw()
		c.cut()
		c.ends.Wait()
	})
	return c
}

func (c *cable) address() string { return c.listener.Addr().String() }

func (c *cable) connect(node net.Conn) {
	defer node.Close()
	server, err := net.Dial("tcp", c.server)
	if err != nil {
		return
	}
	defer server.Close()
	c.keep(node, server)
	defer c.forget(node, server)
	var answers sync.WaitGroup
	answers.Go(func() { c.carry(node, server) })
	c.carry(server, node)
	answers.Wait()
}

// carry carries one direction until either end is gone.
func (c *cable) carry(to, from net.Conn) {
	defer to.Close()
	defer from.Close()
	text := make([]byte, 32<<10)
	for {
		n, err := from.Read(text)
		c.mu.Lock()
		for c.silent {
			c.thawed.Wait()
		}
		c.mu.Unlock()
		if n > 0 {
			if _, err := to.Write(text[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func (c *cable) keep(conns ...net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range conns {
		c.conns[conn] = true
	}
}

func (c *cable) forget(conns ...net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range conns {
		delete(c.conns, conn)
	}
}

// freeze makes PostgreSQL fall silent: connections stay, and nothing comes through.
// What is sent meanwhile arrives when it thaws.
func (c *cable) freeze() { c.set(true) }

func (c *cable) thaw() {
	c.set(false)
	c.thawed.Broadcast()
}

func (c *cable) set(silent bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.silent = silent
}

// cut ends all connections, in the middle of whatever they carry.
func (c *cable) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for conn := range c.conns {
		_ = conn.Close()
	}
}
