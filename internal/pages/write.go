package pages

import (
	"cmp"
	"net/http"
	"strconv"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/locale"
)

// Write answers r with page, in the language that r prefers, and with every
// header that a page must carry. The page is rendered before anything is
// written: after an error from rendering the answer is still untouched.
func (set *Set) Write(w http.ResponseWriter, r *http.Request, status int, page Page) error {
	s, err := set.newScreen(preferred(r), page)
	if err != nil {
		return err
	}
	body, err := s.render()
	if err != nil {
		return err
	}
	s.headers(w.Header())
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if r.Method == http.MethodHead {
		return nil
	}
	_, err = w.Write(body)
	return err
}

// Language returns the tag of the language in which pages answer r.
func Language(r *http.Request) string { return preferred(r).Tag }

func preferred(r *http.Request) *locale.Locale {
	return texts.Preferred(r.Header.Values("Accept-Language"))
}

// headers sets what every page carries. A Referrer-Policy that is there already
// stays: some wallets want to know which site sends the payer.
func (s *screen) headers(h http.Header) {
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", s.Lang())
	h.Add("Vary", "Accept-Language")
	h.Set("Content-Security-Policy", s.policy())
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", cmp.Or(h.Get("Referrer-Policy"), "no-referrer"))
	h.Set("X-Content-Type-Options", "nosniff")
}
