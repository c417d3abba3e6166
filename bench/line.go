package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http/httputil"
	"strconv"
	"strings"
	"time"
)

// line is one connection to a server, kept open between requests as browsers
// keep theirs. It does little by itself, because the load shares its processors
// with what it measures.
type line struct {
	address string
	conn    net.Conn
	reader  *bufio.Reader
	request []byte
}

// answerTime bounds the wait for one answer.
const answerTime = 90 * time.Second

func newLine(address string) *line { return &line{address: address} }

func (l *line) dial() error {
	if l.conn != nil {
		return nil
	}
	conn, err := net.DialTimeout("tcp", l.address, 10*time.Second)
	if err != nil {
		return err
	}
	l.conn, l.reader = conn, bufio.NewReader(conn)
	return nil
}

func (l *line) close() {
	if l.conn != nil {
		l.conn.Close()
		l.conn = nil
	}
}

// answer is what a server said.
type answer struct {
	status   int
	location string
	cookies  []string // of Set-Cookie
	body     []byte
}

func (a answer) String() string {
	return fmt.Sprintf("%d, Location %q, %.300q", a.status, a.location, a.body)
}

func (l *line) get(path string, cookies map[string]string) (answer, error) {
	l.begin("GET", path)
	if len(cookies) > 0 {
		l.request = append(l.request, "Cookie: "...)
		separator := ""
		for name, value := range cookies {
			l.request = append(append(append(append(l.request, separator...), name...), '='), value...)
			separator = "; "
		}
		l.request = append(l.request, "\r\n"...)
	}
	l.request = append(l.request, "\r\n"...)
	return l.exchange()
}

// post sends a body with one more header beside its type.
func (l *line) post(path, contentType, header, value string, body []byte) (answer, error) {
	l.begin("POST", path)
	if header != "" {
		l.request = fmt.Appendf(l.request, "%s: %s\r\n", header, value)
	}
	l.request = fmt.Appendf(l.request, "Content-Type: %s\r\nContent-Length: %d\r\n\r\n", contentType, len(body))
	l.request = append(l.request, body...)
	return l.exchange()
}

func (l *line) begin(method, path string) {
	l.request = append(append(append(l.request[:0], method...), ' '), path...)
	l.request = append(append(l.request, " HTTP/1.1\r\nHost: "...), l.address...)
	l.request = append(l.request, "\r\nUser-Agent: Mozilla/5.0 (Linux; Android 14) MicroMessenger/8.0.50\r\nAccept-Language: en\r\n"...)
}

func (l *line) exchange() (answer, error) {
	if err := l.dial(); err != nil {
		return answer{}, err
	}
	got, err := l.sendAndReceive()
	if err != nil {
		l.close()
		return answer{}, fmt.Errorf("%s: %w", l.address, err)
	}
	return got, nil
}

func (l *line) sendAndReceive() (answer, error) {
	if err := l.conn.SetDeadline(time.Now().Add(answerTime)); err != nil {
		return answer{}, err
	}
	if _, err := l.conn.Write(l.request); err != nil {
		return answer{}, err
	}
	return l.receive()
}

// receive reads an answer. Of its headers it keeps what payers need.
func (l *line) receive() (got answer, err error) {
	first, err := l.readLine()
	if err != nil {
		return got, err
	}
	if _, rest, found := bytes.Cut(first, []byte(" ")); found {
		got.status, err = strconv.Atoi(string(rest[:min(3, len(rest))]))
	}
	if err != nil || got.status == 0 {
		return got, fmt.Errorf("%q is no answer", first)
	}
	length, chunked, closes := 0, false, false
	for {
		header, err := l.readLine()
		if err != nil {
			return got, err
		}
		if len(header) == 0 {
			break
		}
		name, value, _ := bytes.Cut(header, []byte(": "))
		switch {
		case is(name, "Location"):
			got.location = string(value)
		case is(name, "Set-Cookie"):
			got.cookies = append(got.cookies, string(value))
		case is(name, "Content-Length"):
			if length, err = strconv.Atoi(string(value)); err != nil {
				return got, err
			}
		case is(name, "Transfer-Encoding"):
			chunked = is(value, "chunked")
		case is(name, "Connection"):
			closes = is(value, "close")
		}
	}
	if got.body, err = l.readBody(length, chunked); closes {
		l.close()
	}
	return got, err
}

func (l *line) readBody(length int, chunked bool) ([]byte, error) {
	if !chunked {
		body := make([]byte, length)
		_, err := io.ReadFull(l.reader, body)
		return body, err
	}
	body, err := io.ReadAll(httputil.NewChunkedReader(l.reader))
	if err == nil {
		_, err = l.readLine() // after the last chunk
	}
	return body, err
}

// readLine returns a line until the next one is read.
func (l *line) readLine() ([]byte, error) {
	read, err := l.reader.ReadSlice('\n')
	return bytes.TrimRight(read, "\r\n"), err
}

// is reports whether a header is called so, or says so.
func is(text []byte, word string) bool { return strings.EqualFold(string(text), word) }
