package ledger

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWhatWasErasedIsNotInTheFileAnyMore(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ledger.db")
	opened, err := OpenSQLite(t.Context(), file, nil)
	require.NoError(t, err)
	for range 20 {
		o := testOrder()
		o.Intent.Fields = Fields{"phone": {"sentinel-of-a-phone"}}
		require.NoError(t, opened.Update(t.Context(), func(tx *Tx) error {
			if err := claimStep(o)(tx); err != nil {
				return err
			}
			o, err := tx.Order(o.ID)
			if err != nil {
				return err
			}
			o.Status, o.Ended = StatusClosed, noon
			return tx.Save(o)
		}))
	}
	require.NoError(t, opened.Update(t.Context(), func(tx *Tx) error {
		erased, err := tx.EraseFields("shop", noon.Add(time.Second), 100)
		assert.Len(t, erased, 20)
		return err
	}))
	require.NoError(t, opened.Close())
	left, err := filepath.Glob(file + "*")
	require.NoError(t, err)
	for _, name := range left {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		assert.Equal(t, 0, bytes.Count(text, []byte("sentinel-of-a-phone")), name)
	}
}
