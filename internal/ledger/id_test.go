package ledger

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestOrderIDsHaveOneSpelling(t *testing.T) {
	now := time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)
	order := NewID(now)
	assert.Len(t, order, 26)
	assert.True(t, ValidID(order))
	assert.False(t, ValidID(strings.ToLower(order)))
	assert.False(t, ValidID(order+"0"))
	assert.False(t, ValidID("../../../../../../etc/pass"))
	assert.False(t, ValidID(""))
	assert.NotEqual(t, order, NewID(now))
}
