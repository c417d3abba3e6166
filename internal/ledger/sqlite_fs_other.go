//go:build !linux

package ledger

import "go.uber.org/zap"

// checkFileSystem knows the file systems of Linux only.
func checkFileSystem(string, *zap.Logger) error { return nil }
