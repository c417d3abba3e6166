package cluster

import (
	"bufio"
	"io"
	"net"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// redisServer is a Redis of the test's own. It keeps nothing on disk.
type redisServer struct {
	t       testing.TB
	address string
	process *exec.Cmd
}

func startRedis(t testing.TB) *redisServer {
	t.Helper()
	binary, err := exec.LookPath("redis-server")
	if err != nil {
		t.Fatal("these tests need redis-server: install the package redis-server, or redis")
	}
	r := &redisServer{t: t, address: freeAddress(t)}
	r.process = exec.Command(binary, "--bind", "127.0.0.1", "--port", portOf(r.address),
		"--save", "", "--appendonly", "no", "--dir", t.TempDir())
	require.NoError(t, r.process.Start())
	t.Cleanup(func() {
		_ = r.process.Process.Kill()
		_ = r.process.Wait()
	})
	eventually(t, "Redis answers", r.answers)
	return r
}

func (r *redisServer) answers() bool {
	conn, err := net.DialTimeout("tcp", r.address, time.Second)
	if err != nil {
		return false
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Second))
	_, _ = conn.Write([]byte("PING\r\n"))
	reply, err := bufio.NewReader(conn).ReadString('\n')
	return err == nil && reply == "+PONG\r\n"
}

// list is what a list command answers, such as the members of a set.
func (r *redisServer) list(command ...string) words {
	r.t.Helper()
	conn, err := net.DialTimeout("tcp", r.address, time.Second)
	require.NoError(r.t, err)
	defer conn.Close()
	require.NoError(r.t, conn.SetDeadline(time.Now().Add(patience)))
	_, err = io.WriteString(conn, words(command).String())
	require.NoError(r.t, err)
	answer, err := readWords(bufio.NewReader(conn))
	require.NoError(r.t, err)
	return answer
}

// freeze makes Redis fall silent: connections stay, and no answer comes. What
// it is sent meanwhile it does when it thaws.
func (r *redisServer) freeze() { r.signal(syscall.SIGSTOP) }

func (r *redisServer) thaw() {
	r.t.Helper()
	r.signal(syscall.SIGCONT)
	eventually(r.t, "Redis answers again", r.answers)
}

func (r *redisServer) signal(signal syscall.Signal) {
	r.t.Helper()
	require.NoError(r.t, r.process.Process.Signal(signal))
}
