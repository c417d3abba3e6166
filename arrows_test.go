package qfpayjsapi_test

import (
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// arrows are the imports of a package within the module.
func arrows(t *testing.T, folder string) (uses []string) {
	t.Helper()
	const module = "github.com/caddy-qfpay/qfpay-jsapi"
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	require.NoError(t, err)
	found := map[string]bool{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		require.NoError(t, err)
		for _, spec := range parsed.Imports {
			if imported, err := strconv.Unquote(spec.Path.Value); err == nil && strings.HasPrefix(imported, module) {
				found[strings.TrimPrefix(strings.TrimPrefix(imported, module+"/"), module)] = true
			}
		}
	}
	if found[""] {
		delete(found, "")
		found["."] = true
	}
	return slices.Sorted(maps.Keys(found))
}

func TestTheArrowsBetweenPackagesAreThoseOfTheDocument(t *testing.T) {
	table := sectionOf(t, "docs/how-it-works.md", "## Packages and their arrows")
	documented := map[string][]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|[^|]*\\|([^|]*)\\|$").FindAllStringSubmatch(table, -1) {
		documented[row[1]] = strings.Fields(strings.ReplaceAll(row[2], "`", ""))
	}
	listed, err := exec.Command("go", "list", "-f", "{{.Dir}}", "./...").Output()
	require.NoError(t, err)
	here, err := os.Getwd()
	require.NoError(t, err)
	for _, folder := range strings.Fields(string(listed)) {
		name, err := filepath.Rel(here, folder)
		require.NoError(t, err)
		uses, ok := documented[filepath.ToSlash(name)]
		assert.True(t, ok, "the table lacks %s", name)
		assert.ElementsMatch(t, arrows(t, folder), uses, name)
		delete(documented, filepath.ToSlash(name))
	}
	assert.Empty(t, documented, "the table has what does not exist")
}
