package pages

import (
	"net/http"
	"strconv"
)

// Write answers r with page, in the language that r prefers, and with every
// header that a page must carry. The page is rendered before anything is
// written: after an error from rendering the answer is still untouched.
func Write(w http.ResponseWriter, r *http.Request, status int, page Page) error {
	in := words.Preferred(r.Header.Values("Accept-Language"))
	body, err := render(page, in)
	if err != nil {
		return err
	}
	header := w.Header()
	SetCommonHeaders(header)
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Language", in.Tag)
	header.Add("Vary", "Accept-Language")
	header.Set("Content-Security-Policy", policy)
	header.Set("Content-Length", strconv.Itoa(len(body)))
	if status == http.StatusServiceUnavailable {
		header.Set("Retry-After", "5") // seconds
	}
	w.WriteHeader(status)
	if r.Method == http.MethodHead {
		return nil
	}
	_, err = w.Write(body)
	return err
}

// SetCommonHeaders sets what every answer of the owner's pages carries. The
// address goes to the same site alone; without it there, browsers would not say
// where a form came from.
func SetCommonHeaders(header http.Header) {
	header.Set("Cache-Control", "no-store")
	header.Set("Referrer-Policy", "same-origin")
	header.Set("X-Content-Type-Options", "nosniff")
}
