package cluster

import (
	"bufio"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The moments of a write at which a node is killed.
const (
	beforeRedis moment = "before Redis has it"
	unanswered  moment = "after Redis did it and before the node hears of that"
	answered    moment = "after the node heard that Redis did it"
)

// cable is the way from one node to Redis. It knows what the node writes, in
// the commands of which each Store, Delete, Lock and Unlock is made, and can
// end the node's life at one of them.
type cable struct {
	listener net.Listener
	redis    string
	kill     func()

	mu     sync.Mutex
	counts bool
	writes []string
	fatal  int // the write that is the last, from 1; 0 is none
	at     moment
}

func newCable(t testing.TB, redis string, kill func()) *cable {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	c := &cable{listener: listener, redis: redis, kill: sync.OnceFunc(kill)}
	var ends sync.WaitGroup
	ends.Go(func() {
		for {
			node, err := listener.Accept()
			if err != nil {
				return
			}
			ends.Go(func() { c.connect(node) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		ends.Wait()
	})
	return c
}

func (c *cable) address() string { return c.listener.Addr().String() }

// arm counts writes from now on, and makes one of them the node's last.
func (c *cable) arm(fatal int, at moment) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts, c.writes, c.fatal, c.at = true, nil, fatal, at
}

// disarm ends the counting and returns what was written.
func (c *cable) disarm() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts = false
	return slices.Clone(c.writes)
}

// rest returns when the node has written nothing for a while. The app looks once
// more at an order of which it has just learned something.
func (c *cable) rest() {
	const quiet = 300 * time.Millisecond
	for before := -1; ; time.Sleep(quiet) {
		c.mu.Lock()
		now := len(c.writes)
		c.mu.Unlock()
		if now == before {
			return
		}
		before = now
	}
}

// note counts a command if it writes, and returns when the node dies of it; ""
// is never.
func (c *cable) note(command words) moment {
	write := command.write()
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.counts || write == "" {
		return ""
	}
	if c.writes = append(c.writes, write); len(c.writes) != c.fatal {
		return ""
	}
	return c.at
}

// connect carries one connection. The node sends nothing on it before it has
// the answer to what it sent.
func (c *cable) connect(node net.Conn) {
	defer node.Close()
	redis, err := net.Dial("tcp", c.redis)
	if err != nil {
		return
	}
	defer redis.Close()
	deaths := make(chan moment, 1)
	var answers sync.WaitGroup
	defer answers.Wait()
	answers.Go(func() { c.answer(node, redis, deaths) })
	defer redis.Close() // which ends the answers

	commands := bufio.NewReader(node)
	for {
		command, err := readWords(commands)
		if err != nil {
			return // the node is gone
		}
		switch at := c.note(command); at {
		case beforeRedis:
			c.kill()
			return
		case unanswered, answered:
			deaths <- at
		}
		if _, err := io.WriteString(redis, command.String()); err != nil {
			return
		}
	}
}

// answer carries what Redis says to the node.
func (c *cable) answer(node, redis net.Conn, deaths <-chan moment) {
	defer node.Close()
	text := make([]byte, 64<<10)
	for {
		n, err := redis.Read(text)
		if err != nil {
			return
		}
		var at moment
		select {
		case at = <-deaths:
		default:
		}
		if at == unanswered {
			c.kill()
			return
		}
		if _, err := node.Write(text[:n]); err != nil {
			return
		}
		if at == answered {
			c.kill()
			return
		}
	}
}
