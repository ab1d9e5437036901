package mpc

import (
	"cmp"
	"slices"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// PresignStatus is what a node has of presignatures of one key.
type PresignStatus struct {
	KeyID types.KeyID
	Epoch uint64
	// Ready are usable now for requests that this node leads, Parked all that this node is a
	// signer of, Building those that are being made.
	Ready, Parked, Building int
}

// presignStatus counts, by key.
func (c *Core) presignStatus() []PresignStatus {
	var list []PresignStatus
	for _, l := range c.sessions {
		if !l.waits() {
			continue
		}
		r := l.Request()
		i := slices.IndexFunc(list, func(s PresignStatus) bool { return s.KeyID == r.KeyID && s.Epoch == r.Epoch })
		if i < 0 {
			i = len(list)
			list = append(list, PresignStatus{KeyID: r.KeyID, Epoch: r.Epoch})
		}
		s := &list[i]
		switch {
		case l.Phase() != session.Parked:
			s.Building++
		case c.ready(l):
			s.Ready++
			fallthrough
		default:
			s.Parked++
		}
	}
	slices.SortFunc(list, func(a, b PresignStatus) int {
		return cmp.Or(cmp.Compare(a.KeyID, b.KeyID), cmp.Compare(a.Epoch, b.Epoch))
	})
	return list
}
