package backoffice

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// backupTime bounds how long a backup takes.
const backupTime = 30 * time.Minute

// BackupRequest asks for a copy of a ledger. The file is on the machine that the
// ledger is on.
type BackupRequest struct {
	File string `json:"file"`           // an absolute path; nothing may be there yet
	Name string `json:"name,omitempty"` // of a shop, where the shops have several ledgers
}

// BackupAnswer is the copy that was made.
type BackupAnswer struct {
	File  string `json:"file"`
	Bytes int64  `json:"bytes"`
}

// Backup answers when a consistent copy of the ledger is in a file.
func (o *Office) Backup(w http.ResponseWriter, r *http.Request) error {
	var asked BackupRequest
	if err := ReadJSON(r, &asked); err != nil {
		return err
	}
	one, err := o.Only(asked.Name)
	if err != nil {
		return err
	}
	made, err := one.backup(r.Context(), asked.File)
	if err != nil {
		return err
	}
	return WriteJSON(w, http.StatusOK, made)
}

func (o *Office) backup(ctx context.Context, file string) (BackupAnswer, error) {
	switch {
	case len(o.Ledgers) == 0:
		return BackupAnswer{}, Deny(http.StatusNotFound, "there is no shop, and no ledger")
	case slices.ContainsFunc(o.Ledgers, func(l Ledger) bool { return l.Ledger != o.Ledgers[0].Ledger }):
		return BackupAnswer{}, Deny(http.StatusConflict, "there are several ledgers: say which with the name of one of its shops")
	case !filepath.IsAbs(file):
		return BackupAnswer{}, Deny(http.StatusBadRequest, "file must be an absolute path, such as /var/backups/ledger.db")
	}
	if _, err := os.Lstat(file); err == nil {
		return BackupAnswer{}, Deny(http.StatusConflict, "%s already exists: name another file for the backup", file)
	}
	ctx, cancel := context.WithTimeout(ctx, backupTime)
	defer cancel()
	err := o.Ledgers[0].Backup(ctx, file)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return BackupAnswer{}, Deny(http.StatusConflict, "this program does not back up %s: use pg_dump", o.Ledgers[0])
	case errors.Is(err, context.DeadlineExceeded):
		return BackupAnswer{}, err
	case err != nil:
		return BackupAnswer{}, Deny(http.StatusServiceUnavailable, "the backup could not be made: %v", err)
	}
	info, err := os.Stat(file)
	if err != nil {
		return BackupAnswer{}, err
	}
	return BackupAnswer{file, info.Size()}, nil
}
