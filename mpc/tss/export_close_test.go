package tss

import "github.com/sequencer-mpc/sequencer/mpc/session"

// CountWipes counts how often a party overwrites its secrets from now on.
func CountWipes(p session.Party) *int {
	n, pa := new(int), p.(*party)
	wipe := pa.wipe
	pa.wipe = func() {
		*n++
		wipe()
	}
	return n
}
