package ledger

import (
	"errors"
	"fmt"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

// code returns SQLite's primary result code of an error; 0 if it is not SQLite's.
func code(err error) int {
	var failed *sqlite.Error
	if errors.As(err, &failed) {
		return failed.Code() & 0xff
	}
	return 0
}

// explain says in a sentence what is wrong with the database and what to do.
// Other errors stay as they are.
func (s *SQLite) explain(err error) error {
	var sentence string
	switch code(err) {
	case lib.SQLITE_NOTADB:
		sentence = "is no SQLite database: name another file for the ledger"
	case lib.SQLITE_FULL:
		sentence = "cannot grow, because the disk is full: make room"
	case lib.SQLITE_BUSY:
		sentence = "is locked by another program for more than 5 s"
	case lib.SQLITE_READONLY, lib.SQLITE_PERM:
		sentence = "cannot be written: give the user that Caddy runs as permission to write the file and its folder"
	case lib.SQLITE_CANTOPEN:
		sentence = "cannot be opened: give the user that Caddy runs as permission to read and write the file and its folder"
	case lib.SQLITE_CORRUPT:
		sentence = "is damaged: restore a backup"
	case lib.SQLITE_IOERR:
		sentence = "cannot be read or written, because the disk reports an error"
	default:
		if errors.Is(err, ErrNewer) {
			return fmt.Errorf("%s: %w", s.file, err)
		}
		return err
	}
	return fmt.Errorf("%s %s: %w", s.file, sentence, err)
}
