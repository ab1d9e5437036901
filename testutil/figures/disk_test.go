package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDiskOf(t *testing.T) {
	const mounts = "/dev/vda / ext4 rw 0 0\ntmpfs /tmp tmpfs rw 0 0\noverlay /tmp/a overlay rw 0 0\n/dev/nvme0n1 /tmp/a xfs rw 0 0\nshort\n"
	for dir, want := range map[string]string{
		"/":       "ext4 of vda",
		"/tmpfs":  "ext4 of vda",
		"/tmp":    "tmpfs",
		"/tmp/b":  "tmpfs",
		"/tmp/a":  "xfs of nvme0n1",
		"/tmp/ab": "tmpfs",
	} {
		require.Equal(t, want, diskOf(dir, mounts), dir)
	}
	require.Equal(t, "unknown", diskOf("/", ""))
}
