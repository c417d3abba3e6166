package main

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestEachAccountHasARateLimitOfItsOwn(t *testing.T) {
	gateway := &slowGateway{}
	call := func(account int) int {
		r := httptest.NewRequest(http.MethodPost, "/trade/v1/query", nil)
		r.Header.Set("X-QF-APPCODE", scaleAccount(account))
		w := httptest.NewRecorder()
		gateway.answer(w, r)
		return w.Code
	}
	last := 0
	for range 101 {
		last = call(1)
	}
	assert.Equal(t, http.StatusTooManyRequests, last)
	assert.Equal(t, http.StatusOK, call(2))
	assert.EqualValues(t, 1, gateway.many.refused.Load())
	assert.Len(t, gateway.many.byCode, 2)
}
