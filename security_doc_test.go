package qfpayjsapi_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// testNames are those of all tests and fuzz targets of the repository, its other
// modules included.
func testNames(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	require.NoError(t, filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, declared := range file.Decls {
			if f, ok := declared.(*ast.FuncDecl); ok && f.Recv == nil {
				names[f.Name.Name] = true
			}
		}
		return nil
	}))
	return names
}

// It holds that the tests exist. Whether one fails when its answer no longer
// holds, its reader decides.
func TestTheTestsThatSECURITYNamesExist(t *testing.T) {
	text, err := os.ReadFile("SECURITY.md")
	require.NoError(t, err)
	existing := testNames(t)
	named := regexp.MustCompile("`((?:Test|Fuzz)\\w+)`")
	threats, inTable := 0, false
	for line := range strings.Lines(string(text)) {
		tests := named.FindAllStringSubmatch(line, -1)
		for _, test := range tests {
			assert.True(t, existing[test[1]], "SECURITY.md names %s, which does not exist", test[1])
		}
		switch isHead := line == "| threat | answer | held by |\n"; {
		case inTable && strings.HasPrefix(line, "| "):
			threats++
			assert.NotEmpty(t, tests, "no test holds: %s", line)
		case !strings.HasPrefix(line, "|---"):
			inTable = isHead
		}
	}
	assert.Greater(t, threats, 40)
}
