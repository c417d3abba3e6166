package qfpaytest

import (
	"fmt"
	"net/http"
	"strconv"
)

// answer is what a call has to say, before a fault distorts it.
type answer struct {
	status  int
	headers map[string]string
	reply   object // JSON, unless nil
	page    []byte // HTML, if reply is nil

	// sign signs the reply as it is sent; nil for what is not signed.
	sign func(body []byte) string
}

func replied(reply object) answer { return answer{status: http.StatusOK, reply: reply} }

// refused answers with HTTP 200, as the gateway does: the refusal is in the reply.
func refused(r *refusal) answer { return replied(refusalReply(r)) }

func refusalReply(r *refusal) object {
	return object{
		must("respcd", r.respcd),
		may("respmsg", r.reason),
		may("resperr", r.reason),
	}
}

// redirected sends the browser on. The address is passed on byte for byte.
func redirected(status int, address string) answer {
	return answer{status: status, headers: map[string]string{"Location": address}}
}

func wrongMethod(allow string) answer {
	return answer{status: http.StatusMethodNotAllowed, headers: map[string]string{"Allow": allow}}
}

func tooMany(seconds int) answer {
	return answer{
		status:  http.StatusTooManyRequests,
		headers: map[string]string{"Retry-After": strconv.Itoa(seconds)},
	}
}

// respcd is the response code or the errcode of the reply, for the log.
func (a answer) respcd() string {
	for _, m := range a.reply {
		if m.name == "respcd" || m.name == "errcode" {
			return fmt.Sprint(m.value)
		}
	}
	return ""
}

func (a answer) body() []byte {
	if a.reply != nil {
		return a.reply.encode(compactSpacing)
	}
	return a.page
}

// head writes the header of an answer whose body is said to have that length.
func (a answer) head(w http.ResponseWriter, body []byte, length int) {
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("Content-Length", strconv.Itoa(length))
	switch {
	case a.reply != nil:
		header.Set("Content-Type", "application/json; charset=utf-8")
		if a.sign != nil {
			header.Set(headerSign, a.sign(body))
		}
	case a.page != nil:
		header.Set("Content-Type", "text/html; charset=utf-8")
		header.Set("Content-Security-Policy", pagePolicy)
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("X-Content-Type-Options", "nosniff")
	}
	for name, value := range a.headers {
		header.Set(name, value)
	}
	w.WriteHeader(a.status)
}

func (a answer) write(w http.ResponseWriter) {
	body := a.body()
	a.head(w, body, len(body))
	_, _ = w.Write(body)
}
