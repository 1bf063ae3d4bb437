package store

import (
	"io/fs"

	"golang.org/x/sys/windows"
)

// canShare is false: Badger has no read-only mode on Windows, so a reader takes
// the data set for itself.
const canShare = false

// lockDir leaves the lock to Badger.
func lockDir(string, bool) (unlock func() error, err error) {
	return func() error { return nil }, nil
}

// alive says whether a process of this machine still runs.
func alive(pid int) bool {
	h, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION, false, uint32(pid))
	if err != nil {
		return err == windows.ERROR_ACCESS_DENIED
	}
	defer windows.CloseHandle(h)
	var code uint32
	const stillActive = 259
	return windows.GetExitCodeProcess(h, &code) == nil && code == stillActive
}

// syncDir does nothing: Windows keeps names with the files.
func syncDir(string) error { return nil }

// freeSpace is how many bytes this user may still write below dir.
func freeSpace(dir string) (uint64, error) {
	p, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return 0, err
	}
	var free uint64
	err = windows.GetDiskFreeSpaceEx(p, &free, nil, nil)
	return free, err
}

// roomOf is the room a file takes.
func roomOf(fi fs.FileInfo) int64 { return fi.Size() }
