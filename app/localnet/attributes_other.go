//go:build !linux

package localnet

import "syscall"

// childAttributes put a node into a process group of its own. Only Linux ends
// children with their parent.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
