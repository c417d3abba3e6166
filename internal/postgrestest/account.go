//go:build unix

package postgrestest

import (
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// programs finds the folder of the newest server that is installed.
func programs(t testing.TB) string {
	t.Helper()
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb") // where Debian has them, outside PATH
	if len(found) > 0 {
		slices.SortFunc(found, func(a, b string) int { return version(a) - version(b) })
		return filepath.Dir(found[len(found)-1])
	}
	initdb, err := exec.LookPath("initdb")
	if err != nil {
		t.Fatal("these tests need a PostgreSQL server: install the package postgresql (on Debian: apt-get install postgresql)")
	}
	return filepath.Dir(initdb)
}

func version(initdb string) int {
	number, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(initdb))))
	return number
}

// unprivileged is the user as whom the server runs, which owns the folder:
// PostgreSQL refuses root.
func unprivileged(t testing.TB, dir string) *syscall.SysProcAttr {
	t.Helper()
	if os.Geteuid() != 0 {
		return nil
	}
	account, err := user.Lookup("postgres")
	if err != nil {
		account, err = user.Lookup("nobody")
	}
	if err != nil {
		t.Fatal("PostgreSQL does not run as root, and there is neither a user postgres nor nobody")
	}
	uid, _ := strconv.ParseUint(account.Uid, 10, 32)
	gid, _ := strconv.ParseUint(account.Gid, 10, 32)
	if err := os.Chown(dir, int(uid), int(gid)); err != nil {
		t.Fatal(err)
	}
	if parent := closed(filepath.Dir(dir)); parent != "" {
		t.Fatalf("PostgreSQL runs as %s, who cannot enter %s: set TMPDIR to a folder that everybody can enter", account.Username, parent)
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
}

// closed returns the folder on the way to dir that others cannot enter; "" if
// there is none.
func closed(dir string) string {
	for way := dir; ; way = filepath.Dir(way) {
		if info, err := os.Stat(way); err == nil && info.Mode().Perm()&0o001 == 0 {
			return way
		}
		if way == filepath.Dir(way) || !strings.HasPrefix(way, "/") {
			return ""
		}
	}
}
