package mailtest

import (
	"bytes"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"
)

// Cutter stands before a server and passes everything on, but for what the server
// says when it has a whole mail, if it is to cut: as when a line breaks just then.
// It understands no TLS.
type Cutter struct {
	Address string
	cuts    atomic.Bool
}

// Before starts a cutter before a server. It ends with the test.
func Before(t testing.TB, s *Server) *Cutter {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	c := &Cutter{Address: listener.Addr().String()}
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go c.pass(client, s.SMTP)
		}
	}()
	return c
}

// Cut says whether answers are to get lost.
func (c *Cutter) Cut(cut bool) { c.cuts.Store(cut) }

func (c *Cutter) pass(client net.Conn, address string) {
	defer client.Close()
	server, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer server.Close()
	deadline := time.Now().Add(time.Minute)
	_ = client.SetDeadline(deadline)
	_ = server.SetDeadline(deadline)
	go func() { _, _ = io.Copy(server, client) }()
	buffer := make([]byte, 4096)
	waits := false // for the mail
	for {
		n, err := server.Read(buffer)
		if err != nil || waits && c.cuts.Load() {
			return
		}
		waits = bytes.HasPrefix(buffer[:n], []byte("354 "))
		if _, err := client.Write(buffer[:n]); err != nil {
			return
		}
	}
}
