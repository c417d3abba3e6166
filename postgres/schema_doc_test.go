//go:build postgres

package postgres

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/postgrestest"
)

func TestTheQueriesOfTheSchemaDocumentRun(t *testing.T) {
	document, err := os.ReadFile("../docs/schema.md")
	require.NoError(t, err)
	blocks := regexp.MustCompile("(?s)```sql\n(.*?)```").FindAllStringSubmatch(string(document), -1)
	require.NotEmpty(t, blocks)
	server := postgrestest.Start(t)
	address := server.NewDatabase()
	openAt(t, address)
	for _, block := range blocks {
		for query := range strings.SplitSeq(strings.TrimSpace(block[1]), ";") {
			if query = strings.TrimSpace(query); query != "" {
				server.Exec(address, query)
			}
		}
	}
}
