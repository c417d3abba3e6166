package main

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// sleepExactly sleeps by a timer of the kernel, because time.Sleep wakes up to a
// millisecond late in a process that has nothing else to do, which is as much as
// is measured here.
func sleepExactly(span time.Duration) error {
	if span <= 0 {
		return nil
	}
	timer, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return err
	}
	file := os.NewFile(uintptr(timer), "timer")
	defer file.Close()
	if err := unix.TimerfdSettime(timer, 0, &unix.ItimerSpec{Value: unix.NsecToTimespec(span.Nanoseconds())}, nil); err != nil {
		return err
	}
	_, err = file.Read(make([]byte, 8))
	return err
}
