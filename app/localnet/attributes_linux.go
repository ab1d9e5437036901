package localnet

import "syscall"

// childAttributes put a node into a process group of its own, so that Ctrl-C in
// a terminal reaches the parent alone, and have the kernel end it if the parent
// dies without a chance to stop it.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
