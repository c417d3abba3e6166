package pages

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// sink takes a page and forgets it.
type sink struct{ header http.Header }

func (s sink) Header() http.Header         { return s.header }
func (s sink) Write(p []byte) (int, error) { return len(p), nil }
func (s sink) WriteHeader(int)             {}

func benchmark(b *testing.B, page Page) {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Accept-Language", "zh-HK,zh;q=0.9,en;q=0.8")
	b.ReportAllocs()
	for b.Loop() {
		if err := builtin.Write(sink{http.Header{}}, r, http.StatusOK, page); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReceipt(b *testing.B) { benchmark(b, samples(sampleOrder())["receipt"]) }

func BenchmarkHandoff(b *testing.B) { benchmark(b, samples(sampleOrder())["handoff"]) }

func BenchmarkHandoffPhone(b *testing.B) { benchmark(b, samples(sampleOrder())["handoff phone"]) }
