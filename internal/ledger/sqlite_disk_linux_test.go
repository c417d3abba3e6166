package ledger

import (
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
	"golang.org/x/sys/unix"
)

func TestNetworkFileSystemsAreRefused(t *testing.T) {
	for kind, name := range networkFileSystems {
		err := judgeFileSystem(kind, "/data", zap.NewNop())
		assert.ErrorContains(t, err, "/data is on a network file system ("+name+")")
		assert.ErrorContains(t, err, "local disk")
	}
	for kind := range doubtfulFileSystems {
		core, logs := observer.New(zap.WarnLevel)
		assert.NoError(t, judgeFileSystem(kind, "/data", zap.New(core)))
		assert.Equal(t, 1, logs.Len())
	}
	assert.NoError(t, judgeFileSystem(unix.EXT4_SUPER_MAGIC, "/data", zap.NewNop()))
}

// skipUnlessCI skips a test that needs root, where nobody promised that it runs.
func skipUnlessCI(t *testing.T, why string, err error) {
	t.Helper()
	require.Empty(t, os.Getenv("CI"), "CI skips no test: %s%v", why, err)
	t.Skip(why, err)
}

// smallDisk is a file system of four megabytes.
func smallDisk(t *testing.T) string {
	folder := t.TempDir()
	if err := unix.Mount("tmpfs", folder, "tmpfs", 0, "size=4m"); err != nil {
		skipUnlessCI(t, "a small disk can only be mounted by root: ", err)
	}
	t.Cleanup(func() { assert.NoError(t, unix.Unmount(folder, unix.MNT_DETACH)) })
	return folder
}

func TestAFullDiskFailsStepsAndLosesNothing(t *testing.T) {
	folder := smallDisk(t)
	filler := filepath.Join(folder, "filler")
	require.NoError(t, os.WriteFile(filler, make([]byte, 3400<<10), 0o600))
	file := filepath.Join(folder, "ledger.db")
	opened := openTest(t, file)
	var acknowledged, refused atomic.Int64
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for failures := 0; failures < 20; {
				err := opened.Update(t.Context(), wholeStep(nil))
				if err == nil {
					acknowledged.Add(1)
					continue
				}
				failures++
				refused.Add(1)
				assert.ErrorContains(t, err, "disk is full")
			}
		})
	}
	all.Wait()
	assert.Positive(t, refused.Load())
	assert.EqualValues(t, acknowledged.Load(), requireWhole(t, opened))

	require.NoError(t, os.Remove(filler))
	for range 10 {
		require.NoError(t, opened.Update(t.Context(), wholeStep(nil)), "there is room again")
	}
	require.NoError(t, opened.Close())
	assert.EqualValues(t, acknowledged.Load()+10, requireWhole(t, openTest(t, file)))
}

func TestAFullDiskAtLoadIsSaid(t *testing.T) {
	folder := smallDisk(t)
	require.NoError(t, os.WriteFile(filepath.Join(folder, "filler"), make([]byte, 4<<20), 0o600))
	file := filepath.Join(folder, "ledger.db")
	_, err := OpenSQLite(t.Context(), file, nil)
	require.Error(t, err)
	assert.ErrorContains(t, err, file)
	assert.ErrorContains(t, err, "disk is full")
	require.NoError(t, os.Remove(filepath.Join(folder, "filler")))
	requireWhole(t, openTest(t, file))
}

const immutable = 0x10 // FS_IMMUTABLE_FL

// protect makes a file or folder immutable, even for root.
func protect(t *testing.T, path string) (release func()) {
	t.Helper()
	opened, err := os.Open(path)
	require.NoError(t, err)
	flags, err := unix.IoctlGetInt(int(opened.Fd()), unix.FS_IOC_GETFLAGS)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(opened.Fd()), unix.FS_IOC_SETFLAGS, flags|immutable)
	}
	if err != nil {
		_ = opened.Close()
		skipUnlessCI(t, "the file system cannot protect a file, or only root can: ", err)
	}
	released := sync.OnceFunc(func() {
		assert.NoError(t, unix.IoctlSetPointerInt(int(opened.Fd()), unix.FS_IOC_SETFLAGS, flags))
		_ = opened.Close()
	})
	t.Cleanup(released)
	return released
}

func TestAFileThatCannotBeWrittenIsSaid(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ledger.db")
	require.NoError(t, openTest(t, file).Close())
	release := protect(t, file)
	_, err := OpenSQLite(t.Context(), file, nil)
	assert.ErrorContains(t, err, file)
	assert.ErrorContains(t, err, "give the user that Caddy runs as permission")
	release()
	openTest(t, file)
}

func TestADiskThatFailsWhileOpenLosesNothing(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ledger.db")
	opened := openTest(t, file)
	require.NoError(t, opened.Update(t.Context(), wholeStep(nil)))
	release := protect(t, file+"-wal")
	for range 3 {
		err := opened.Update(t.Context(), wholeStep(nil))
		require.Error(t, err, "nothing can be written")
		assert.ErrorContains(t, err, file)
	}
	assert.Equal(t, 1, requireWhole(t, opened))
	release()
	require.NoError(t, opened.Update(t.Context(), wholeStep(nil)))
	assert.Equal(t, 2, requireWhole(t, opened))
	require.NoError(t, opened.Close())
	assert.Equal(t, 2, requireWhole(t, openTest(t, file)))
}

func TestAFolderThatBecomesReadOnlyStopsNothing(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "ledger.db")
	opened := openTest(t, file)
	require.NoError(t, opened.Update(t.Context(), wholeStep(nil)))
	release := protect(t, folder)
	require.NoError(t, opened.Update(t.Context(), wholeStep(nil)))
	release()
	assert.Equal(t, 2, requireWhole(t, opened))
}

func TestAFolderWithoutPermissionIsSaid(t *testing.T) {
	folder := t.TempDir()
	require.NoError(t, os.Chmod(filepath.Dir(folder), 0o755))
	require.NoError(t, os.Chmod(folder, 0o555))
	errs := make(chan error, 2)
	go func() { // the thread ends with the goroutine, because it stays locked
		runtime.LockOSThread()
		if os.Geteuid() == 0 {
			_, _ = unix.SetfsuidRetUid(65534)
		}
		for _, name := range []string{"ledger.db", "folder/ledger.db"} {
			_, err := OpenSQLite(t.Context(), filepath.Join(folder, name), nil)
			errs <- err
		}
	}()
	for range 2 {
		err := <-errs
		assert.ErrorContains(t, err, folder)
		assert.ErrorContains(t, err, "permission")
	}
}
