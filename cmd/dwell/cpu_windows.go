package main

import "golang.org/x/sys/windows"

// cpuSeconds is the processor time the process has used.
func cpuSeconds() float64 {
	var made, ended, kernel, user windows.Filetime
	if err := windows.GetProcessTimes(windows.CurrentProcess(), &made, &ended, &kernel, &user); err != nil {
		return 0
	}
	ticks := func(f windows.Filetime) float64 { return float64(int64(f.HighDateTime)<<32|int64(f.LowDateTime)) / 1e7 }
	return ticks(kernel) + ticks(user)
}
