package qfpayjsapi_test

import (
	"go/parser"
	"go/token"
	"io/fs"
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

func TestPackagesImportWhatTheDocumentSays(t *testing.T) {
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

// What is below the root can be read, tested and used without Caddy: the root alone
// is its face. The directive of the simulator is Caddy's, too.
func TestNothingBelowTheRootImportsCaddy(t *testing.T) {
	looked := 0
	for _, folder := range []string{"internal", "qfpay", "postgres"} {
		require.NoError(t, filepath.WalkDir(folder, func(file string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(file, ".go") {
				return err
			}
			parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
			require.NoError(t, err)
			looked++
			for _, spec := range parsed.Imports {
				assert.NotContains(t, spec.Path.Value, "github.com/caddyserver/", file)
			}
			return nil
		}))
	}
	assert.Greater(t, looked, 100)
}

// The order service knows no HTTP, the ledger no rules of orders, and nobody knows
// the payer's way or the root.
func TestPackagesDoNotImportWhatIsAboveThem(t *testing.T) {
	for folder, forbidden := range map[string][]string{
		"internal/ledger":     {"qfpay", "internal/orders", "internal/outbox", "internal/webhook", "internal/backoffice", "internal/checkout", "internal/pages"},
		"internal/orders":     {"internal/outbox", "internal/webhook", "internal/backoffice", "internal/checkout", "internal/pages"},
		"internal/outbox":     {"internal/orders", "internal/backoffice", "internal/checkout", "internal/pages", "qfpay"},
		"internal/backoffice": {"internal/outbox", "internal/checkout", "internal/wechat"},
		"internal/shop":       {"internal/orders", "internal/checkout", "internal/pages", "internal/wechat", "internal/backoffice"},
		"internal/pages":      {"internal/ledger", "internal/orders", "internal/shop", "internal/checkout", "qfpay"},
		"internal/wechat":     {"internal/ledger", "internal/orders", "internal/shop", "internal/checkout", "internal/pages"},
		"internal/checkout":   {"internal/outbox", "internal/webhook", "internal/backoffice", "internal/doctor", "internal/cli"},
		"internal/webhook":    {"internal/ledger", "internal/orders", "internal/outbox"},
		"postgres":            {"internal/orders", "internal/outbox", "internal/backoffice", "internal/checkout", "qfpay"},
		"qfpay":               {"internal/ledger", "internal/orders"},
	} {
		uses := arrows(t, folder)
		for _, other := range append(forbidden, ".", "simulator", "internal/checkout") {
			assert.NotContains(t, uses, other, folder)
		}
	}
}
