package redact

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestWhatOthersWroteIsOneLineOfBoundedLength(t *testing.T) {
	assert.Equal(t, "ab[31mcde", Line("a\r\nb\x1b[31mc\u202ed\u2028e"))
	assert.Equal(t, strings.Repeat("错", 66), Line(strings.Repeat("错", 100)), "200 bytes, and no half character")
}

func TestASecretIsHiddenHoweverItIsSpelled(t *testing.T) {
	hide := Hiding("k€y/\"1").And("second")
	for _, spelling := range []string{
		`k€y/"1`, `k€y/\"1`, `k\u20acy/\"1`, `k\u20ACy/\"1`, "k%E2%82%ACy%2F%221", "k%e2%82%acy%2f%221", "k€\u200by/\"1", "second", "sec\nond",
	} {
		assert.Equal(t, "a [redacted] b", hide.Line("a "+spelling+" b"))
	}
	assert.Equal(t, "as it is", Hiding("").Line("as it is"), "nothing is nothing to hide")
}

func TestAnErrorKeepsItsWordingAndLosesItsValues(t *testing.T) {
	cause := &url.Error{Op: "Get", URL: "http://x/?secret", Err: errors.New("no route for secret")}
	hidden := Hiding("secret").Error(Cause(t.Context(), cause))
	assert.EqualError(t, hidden, "no route for [redacted]")
	assert.NotErrorIs(t, hidden, cause)
}

func TestAnEndedContextIsRecognisedInAnError(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	hidden := Hiding("secret").Error(Cause(ctx, errors.New("use of a secret connection")))
	assert.ErrorIs(t, hidden, context.Canceled)
	assert.EqualError(t, hidden, "context canceled: use of a [redacted] connection")
	assert.Equal(t, context.Canceled, Hiding().Error(Cause(ctx, context.Canceled)))
}
