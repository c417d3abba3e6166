package qfpayjsapi

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	_ "github.com/caddyserver/caddy/v2/modules/standard"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write what the adapter says into the golden files")

// Each golden file holds a Caddyfile and, under a line of dashes, the JSON or
// the error to which it is adapted.
func TestCaddyfilesAdaptAsTheGoldenFilesSay(t *testing.T) {
	files, err := filepath.Glob("testdata/adapt/*.caddyfiletest")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".caddyfiletest"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			input, golden, _ := bytes.Cut(text, []byte("----------\n"))
			adapted := adapt(input)
			if *update {
				require.NoError(t, os.WriteFile(file, []byte(string(input)+"----------\n"+adapted), 0o644))
				return
			}
			assert.Equal(t, string(golden), adapted)
		})
	}
}

// adapt returns the JSON of a Caddyfile, or the error.
func adapt(input []byte) string {
	config, warnings, err := caddyconfig.GetAdapter("caddyfile").Adapt(input, map[string]any{"filename": "Caddyfile"})
	if err != nil {
		return err.Error() + "\n"
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, config, "", "\t"); err != nil {
		return err.Error() + "\n"
	}
	for _, warning := range warnings {
		pretty.WriteString("\nwarning: " + warning.String())
	}
	return pretty.String() + "\n"
}

func FuzzDirective(f *testing.F) {
	files, err := filepath.Glob("testdata/adapt/*.caddyfiletest")
	require.NoError(f, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(f, err)
		input, _, _ := bytes.Cut(text, []byte("----------\n"))
		if start := bytes.Index(input, []byte("qfpay_jsapi")); start >= 0 {
			f.Add(string(input[start:]))
		}
	}
	f.Fuzz(func(t *testing.T, block string) {
		d, ok := dispense(block)
		if !ok {
			return
		}
		h := new(Handler)
		if h.UnmarshalCaddyfile(d) != nil {
			return
		}
		text, err := json.Marshal(h)
		require.NoError(t, err)
		again := new(Handler)
		require.NoError(t, json.Unmarshal(text, again))
		require.NoError(t, again.check(written), "what the Caddyfile accepts, its JSON must too")
	})
}

// dispense tokenizes a block, keeping away from the lexer's own complaints.
func dispense(block string) (*caddyfile.Dispenser, bool) {
	tokens, err := caddyfile.Tokenize([]byte(block), "Caddyfile")
	if err != nil || len(tokens) == 0 {
		return nil, false
	}
	return caddyfile.NewDispenser(tokens), true
}
