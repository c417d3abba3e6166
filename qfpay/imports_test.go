package qfpay

import (
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheProtocolNeedsTheStandardLibraryAlone(t *testing.T) {
	for _, folder := range []string{".", "../internal/redact", "../internal/remote"} {
		files, err := filepath.Glob(filepath.Join(folder, "*.go"))
		require.NoError(t, err)
		require.NotEmpty(t, files)
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
			require.NoError(t, err)
			for _, imported := range file.Imports {
				path, err := strconv.Unquote(imported.Path.Value)
				require.NoError(t, err)
				first, _, _ := strings.Cut(path, "/")
				own := folder == "." && strings.HasSuffix(path, "/internal/remote") ||
					folder != "../internal/redact" && strings.HasSuffix(path, "/internal/redact")
				assert.True(t, own || !strings.Contains(first, "."), "%s imports %s", name, path)
			}
		}
	}
}
