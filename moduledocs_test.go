package qfpayjsapi_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// configured are the types whose fields Caddy's site shows as configuration.
var configured = map[string][]string{
	".":             {"Handler", "Webhook", "OfficialAccount", "OpenAmount", "Orders", "SQLite", "Postgres"},
	"internal/shop": {"Item", "Field"},
	"simulator":     {"Handler"},
}

func TestEveryFieldOfTheConfigurationSaysWhatItIsUnlessItIsSet(t *testing.T) {
	for folder, types := range configured {
		for _, name := range types {
			fields := configurationOf(t, folder, name)
			require.NotEmpty(t, fields, "%s.%s", folder, name)
			for field, comment := range fields {
				assert.Regexp(t, `\b(Required|Default|the default|Only if)\b`, comment, "%s.%s.%s", folder, name, field)
			}
		}
	}
}

// configurationOf returns the comments of a type's fields that have a name in
// JSON.
func configurationOf(t *testing.T, folder, name string) map[string]string {
	t.Helper()
	comments := map[string]string{}
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	require.NoError(t, err)
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
		require.NoError(t, err)
		ast.Inspect(parsed, func(node ast.Node) bool {
			declared, ok := node.(*ast.TypeSpec)
			if !ok || declared.Name.Name != name {
				return true
			}
			if body, ok := declared.Type.(*ast.StructType); ok {
				for _, field := range body.Fields.List {
					if field.Tag != nil && strings.Contains(field.Tag.Value, "json:") {
						comments[field.Names[0].Name] = strings.Join(strings.Fields(field.Doc.Text()), " ")
					}
				}
			}
			return false
		})
	}
	return comments
}

func TestTheCaddyfilesInDocCommentsAreUnderstood(t *testing.T) {
	for _, file := range []string{"module.go", "orders.go"} {
		block := regexp.MustCompile(`(?m)(^//\t.*\n)+`).FindString(readDocument(t, file))
		require.NotEmpty(t, block, file)
		block = regexp.MustCompile(`(?m)^//\t`).ReplaceAllString(block, "")
		block = strings.Replace(block, "<what caddy hash-password prints>", "$2a$", 1)
		_, warnings, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte("shop.example.com {\n"+block+"}\n"), map[string]any{"filename": file})
		require.NoError(t, err, file)
		for _, warning := range warnings {
			assert.Contains(t, warning.Message, "not formatted", file)
		}
	}
}
