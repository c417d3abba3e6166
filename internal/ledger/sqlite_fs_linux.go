package ledger

import (
	"fmt"

	"go.uber.org/zap"
	"golang.org/x/sys/unix"
)

// The file systems on which SQLite's locks and shared memory cannot be relied on.
var networkFileSystems = map[uint32]string{
	unix.NFS_SUPER_MAGIC:   "NFS",
	unix.SMB_SUPER_MAGIC:   "SMB",
	unix.CIFS_SUPER_MAGIC:  "SMB",
	unix.SMB2_SUPER_MAGIC:  "SMB",
	unix.CEPH_SUPER_MAGIC:  "Ceph",
	unix.AFS_SUPER_MAGIC:   "AFS",
	unix.AFS_FS_MAGIC:      "AFS",
	unix.CODA_SUPER_MAGIC:  "Coda",
	unix.OCFS2_SUPER_MAGIC: "OCFS2",
}

// The file systems behind which there may be a network.
var doubtfulFileSystems = map[uint32]string{
	unix.V9FS_MAGIC:       "9P",
	unix.FUSE_SUPER_MAGIC: "FUSE",
}

// checkFileSystem refuses the file systems of other machines, and warns of those
// that may be.
func checkFileSystem(folder string, log *zap.Logger) error {
	var stat unix.Statfs_t
	if err := unix.Statfs(folder, &stat); err != nil {
		return nil // what is wrong with the folder shows when it is used
	}
	return judgeFileSystem(uint32(stat.Type), folder, log)
}

func judgeFileSystem(kind uint32, folder string, log *zap.Logger) error {
	if name, is := networkFileSystems[kind]; is {
		return fmt.Errorf("%s is on a network file system (%s), where SQLite can lose data: name a file on a local disk, or use PostgreSQL", folder, name)
	}
	if name, may := doubtfulFileSystems[kind]; may {
		log.Warn("the ledger may be on a network file system, where SQLite can lose data: use a local disk, or PostgreSQL",
			zap.String("folder", folder), zap.String("file_system", name))
	}
	return nil
}
