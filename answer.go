package qfpayjsapi

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/munnerz/goautoneg"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/pages"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// setCommonHeaders sets what every answer of the module carries, pages, JSON,
// redirects and errors alike.
func setCommonHeaders(header http.Header) {
	header.Set("Cache-Control", "no-store")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("X-Content-Type-Options", "nosniff")
}

// redirect sends a browser on with GET. The answer has no body, so that
// addresses do not end up in one.
func redirect(w http.ResponseWriter, r *http.Request, location string) error {
	status := http.StatusFound
	if r.Method == http.MethodPost {
		status = http.StatusSeeOther
	}
	w.Header().Set("Location", location)
	w.WriteHeader(status)
	return nil
}

func (h *Handler) page(w http.ResponseWriter, r *http.Request, page pages.Page) error {
	return h.pages.Write(w, r, http.StatusOK, page)
}

// problem answers with an error: a page that says what to do next, JSON where
// the client prefers it, or an error for the site's own error routes.
func (h *Handler) problem(w http.ResponseWriter, r *http.Request, problem pages.Problem) error {
	if h.Errors == "pass" {
		return caddyhttp.Error(problem.Kind.Status(), problem.Kind)
	}
	if prefersJSON(r) {
		return writeJSON(w, problem.Kind.Status(), map[string]string{"error": problem.Kind.Error()})
	}
	if problem.ShopURL == "" {
		problem.ShopURL = "/"
	}
	return h.pages.Write(w, r, problem.Kind.Status(), problem)
}

func (h *Handler) wrongMethod(w http.ResponseWriter, r *http.Request, allowed string) error {
	w.Header().Set("Allow", allowed)
	return h.problem(w, r, pages.Problem{Kind: pages.WrongMethod})
}

func prefersJSON(r *http.Request) bool {
	return goautoneg.Negotiate(r.Header.Get("Accept"), []string{"text/html", "application/json"}) == "application/json"
}

func writeJSON(w http.ResponseWriter, status int, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, err = w.Write(append(text, '\n'))
	return err
}

// retryAfter sets Retry-After in whole seconds, at least one.
func retryAfter(w http.ResponseWriter, wait time.Duration) {
	seconds := max(int64((wait+time.Second-1)/time.Second), 1)
	w.Header().Set("Retry-After", strconv.FormatInt(seconds, 10))
}

// gatewayProblem is what the payer is told of a failed call to the gateway.
func gatewayProblem(err error) (kind pages.Kind, wait time.Duration) {
	var failure *qfpay.Error
	if !errors.As(err, &failure) {
		return pages.Internal, 0
	}
	switch failure.Fault {
	case qfpay.FaultBusy:
		return pages.GatewayBusy, max(failure.RetryAfter, 5*time.Second)
	case qfpay.FaultSilent:
		return pages.GatewaySilent, 0
	case qfpay.FaultGateway:
		return pages.GatewayBroke, 0
	default:
		return pages.GatewayRefused, 0
	}
}
