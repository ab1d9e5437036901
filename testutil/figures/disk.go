package main

import (
	"os"
	"path/filepath"
	"strings"
)

// disk is the kind of file system that a folder is on, and on what: what is made durable
// takes no time in memory.
func disk(dir string) string {
	text, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return "unknown"
	}
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	return diskOf(dir, string(text))
}

// diskOf finds the mount point nearest to a folder; the last one covers those before it.
func diskOf(dir, mounts string) string {
	nearest, found := "", "unknown"
	for line := range strings.Lines(mounts) {
		fields := strings.Fields(line)
		if len(fields) < 3 {
			continue
		}
		device, point, kind := fields[0], fields[1], fields[2]
		below := strings.HasPrefix(dir+"/", strings.TrimSuffix(point, "/")+"/")
		if below && len(point) >= len(nearest) {
			nearest, found = point, kind
			if name, ok := strings.CutPrefix(device, "/dev/"); ok {
				found += " of " + name
			}
		}
	}
	return found
}
