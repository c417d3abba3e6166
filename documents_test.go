package qfpayjsapi_test

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	qfpayjsapi "github.com/caddy-qfpay/qfpay-jsapi"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/webhook"
)

// documents are all of the repository, those of its other modules included.
func documents(t *testing.T) (names []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if entry.IsDir() && name != "." && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "node_modules" || entry.Name() == "demo-data") {
			return fs.SkipDir
		}
		if strings.HasSuffix(name, ".md") {
			names = append(names, filepath.ToSlash(name))
		}
		return err
	}))
	require.Contains(t, names, "docs/operating.md")
	return names
}

func readDocument(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	return string(text)
}

var (
	fencedBlock = regexp.MustCompile("(?ms)^```([^\n]*)\n(.*?)^```$")
	headingLine = regexp.MustCompile(`(?m)^(#+) (.*)$`)
	markedLink  = regexp.MustCompile(`!?\[[^\]]*\]\(([^)\s]+)\)`)
	inlineCode  = regexp.MustCompile("`[^`\n]*`")
)

// prose is a document without its blocks of code.
func prose(text string) string { return fencedBlock.ReplaceAllString(text, "") }

// anchor is what GitHub calls a heading in links.
func anchor(heading string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case unicode.IsLetter(r), unicode.IsNumber(r), r == '-', r == '_':
			return unicode.ToLower(r)
		default:
			return -1
		}
	}, heading)
}

func anchors(text string) (all []string) {
	for _, heading := range headingLine.FindAllStringSubmatch(prose(text), -1) {
		all = append(all, anchor(heading[2]))
	}
	return all
}

// links are where the links and pictures of a document lead, in their order.
func links(text string) (targets []string) {
	for _, link := range markedLink.FindAllStringSubmatch(inlineCode.ReplaceAllString(prose(text), "x"), -1) {
		targets = append(targets, link[1])
	}
	return targets
}

func TestTheLinksOfTheDocumentsLeadSomewhere(t *testing.T) {
	for _, name := range documents(t) {
		text := readDocument(t, name)
		for _, link := range links(text) {
			if strings.Contains(link, "://") || strings.HasPrefix(link, "mailto:") {
				continue
			}
			file, fragment, _ := strings.Cut(link, "#")
			target := name
			if file != "" {
				target = path.Join(path.Dir(name), file)
				_, err := os.Stat(target)
				if !assert.NoError(t, err, "%s links to %s", name, link) {
					continue
				}
			}
			if fragment != "" && strings.HasSuffix(target, ".md") {
				assert.Contains(t, anchors(readDocument(t, target)), fragment, "%s links to %s", name, link)
			}
		}
	}
}

// A reader of 200 words a minute needs ten minutes for 2,000 and the pictures.
func TestTheReadmeIsShort(t *testing.T) {
	assert.Less(t, len(strings.Fields(readDocument(t, "README.md"))), 2200)
}

func TestTheReadmeBeginsWithTwoCommandsThatWorkInAClone(t *testing.T) {
	blocks := shellBlock.FindAllStringSubmatch(readDocument(t, "README.md"), 2)
	require.Len(t, blocks, 2)
	assert.Equal(t, "go run ./cmd/caddy run --config Caddyfile.example\n", blocks[0][1])
	assert.Equal(t, "go test ./...\n", blocks[1][1])
}

func TestTheReadmeNamesEveryLibrary(t *testing.T) {
	linked := strings.Join(links(sectionOf(t, "README.md", "## Libraries, and why")), "\n")
	direct := regexp.MustCompile(`(?m)^\t(\S+?)(?:/v\d+)? v\S+$`).FindAllStringSubmatch(readDocument(t, "go.mod"), -1)
	require.NotEmpty(t, direct)
	for _, module := range direct {
		if module[1] != "github.com/caddyserver/caddy" {
			assert.Contains(t, linked, strings.TrimSuffix(module[1], "/libraries"))
		}
	}
}

// runBy says how each command of the documents is run or checked: by a test,
// or by a script of .ci that holds the text beside it.
var runBy = []struct{ command, script, holds string }{
	{`go run github\.com/caddyserver/xcaddy/cmd/xcaddy@\S+ build v2\.11\.9 --with \S+@v0\.0\.0=\.`, ".ci/run", "github.com/caddy-qfpay/qfpay-jsapi@v0.0.0=$here"},
	{`go run \./cmd/caddy run --config Caddyfile\.example`, ".ci/smoke", "Caddyfile.example"},
	{`xcaddy build v2\.11\.9 .*`, ".ci/run", "build v2.11.9"},
	{`go install github\.com/caddyserver/xcaddy/cmd/xcaddy@\S+`, ".ci/run", "tool xcaddy version"},
	{`\./caddy list-modules \| grep qfpay`, ".ci/run", "list-modules | grep"},
	{`\./caddy validate --config Caddyfile`, ".ci/validate", `validate --config "$1"`},
	{`go build \./cmd/caddy`, ".ci/run", "./cmd/caddy"},
	{`go run \./cmd/caddy run --config examples/\S+`, "examples_test.go", "TestEveryExampleSells"},
	{`caddy qfpay-jsapi backup .*`, ".ci/smoke", "office backup"},
	{`mkdir site`, "fiveminutes_test.go", `os.Mkdir("site"`},
	{`\./caddy run`, "fiveminutes_test.go", "caddy.Load"},
	{`\./caddy qfpay-jsapi orders`, "fiveminutes_test.go", "./caddy qfpay-jsapi orders"},
	{`caddy qfpay-jsapi .*`, "working_test.go", "func (s *shop) walk"},
	{`curl .*`, "working_test.go", "func (s *shop) curl"},
	{`echo "whsec_.*`, "documents_test.go", "TestTheCommandThatMakesASecretDoes"},
	{`\.ci/run`, ".ci/run", "all checks passed"},
	{`go test .*`, ".ci/run", "go test"},
}

func TestEveryCommandOfTheDocumentsIsRun(t *testing.T) {
	for _, name := range documents(t) {
		if slices.Contains([]string{"bench", "cluster", "e2e"}, strings.Split(name, "/")[0]) || name == "docs/verification.md" {
			continue // they say for themselves what runs their commands
		}
		for _, block := range shellBlock.FindAllStringSubmatch(readDocument(t, name), -1) {
			joined := regexp.MustCompile(`\s*\\\n\s*`).ReplaceAllString(block[1], " ")
			for line := range strings.Lines(joined) {
				if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
					assertIsRun(t, name, line)
				}
			}
		}
	}
}

func assertIsRun(t *testing.T, document, command string) {
	t.Helper()
	for _, known := range runBy {
		if regexp.MustCompile(`^` + known.command + `$`).MatchString(command) {
			assert.Contains(t, readDocument(t, known.script), known.holds, "%s: %s", document, command)
			return
		}
	}
	t.Errorf("%s: nobody runs %q: say in runBy who does", document, command)
}

func TestTheCommandThatMakesASecretDoes(t *testing.T) {
	command := steps(t, "docs/operating.md", "## Telling your programs")
	require.Len(t, command, 1)
	secret, err := exec.Command("sh", "-c", command[0]).Output()
	require.NoError(t, err)
	assert.NoError(t, webhook.CheckSecret(strings.TrimSpace(string(secret))))
}

func TestTheOrdersPageOfTheDocumentsIsGuarded(t *testing.T) {
	block := fencedBlock.FindStringSubmatch(sectionOf(t, "docs/operating.md", "### The orders page"))
	require.Equal(t, "caddyfile fragment", block[1])
	hash := regexp.MustCompile(`\$2a\$\S+`).FindString(basicAuth)
	shop := openShop(t, withSite(strings.Replace(block[2], "<what caddy hash-password prints>", hash, 1)))
	assert.Equal(t, 401, shop.payer(desktop).get("/orders").status)
	assert.Equal(t, 200, shop.owner().get("/orders").status)
}

func TestTheTablesOfTheReferenceNameEverySubdirective(t *testing.T) {
	glance := sectionOf(t, "docs/reference.md", "# At a glance")
	for _, name := range qfpayjsapi.Subdirectives() {
		assert.Regexp(t, "(?m)^\\|.*`"+name+"\\b", glance)
	}
}

// structure is what both languages of a document have in common: headings by
// level, blocks of code without comments, and where links lead. Links to
// headings have names of their own in each language.
func structure(text string) (parts []string) {
	for _, heading := range headingLine.FindAllStringSubmatch(prose(text), -1) {
		parts = append(parts, heading[1])
	}
	for _, block := range fencedBlock.FindAllStringSubmatch(text, -1) {
		parts = append(parts, "```"+block[1]+"\n"+regexp.MustCompile(`(?m)^\s*(#|//).*\n`).ReplaceAllString(block[2], ""))
	}
	for _, link := range links(text) {
		switch {
		case strings.HasPrefix(link, "#"):
			link = "#"
		case strings.HasPrefix(link, "README"):
			link = "the other language"
		}
		parts = append(parts, link)
	}
	return append(parts, fmt.Sprint(strings.Count(prose(text), "\n|"), " rows of tables"), fmt.Sprint(strings.Count(prose(text), "\n- "), " points"))
}

func TestTheReadmeSaysTheSameInChinese(t *testing.T) {
	english, chinese := readDocument(t, "README.md"), readDocument(t, "README.zh-CN.md")
	assert.Equal(t, structure(english), structure(chinese))
	assert.Contains(t, links(english), "README.zh-CN.md")
	assert.Contains(t, links(chinese), "README.md")
	for _, name := range qfpayjsapi.Subdirectives() {
		word := regexp.MustCompile("`" + name + "\\b")
		assert.Equal(t, word.MatchString(english), word.MatchString(chinese), "only one of them names %s", name)
	}
}
