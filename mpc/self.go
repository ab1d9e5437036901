package mpc

import (
	"crypto/ed25519"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// identity finds the private half of the identity that a request pinned for
// this node, if it was not revoked: a reshare may go on without who revoked it, and
// nobody heeds what that one signs.
func (c *Core) identity(r *types.Request) (ed25519.PrivateKey, bool) {
	m, ok := r.Member(c.self.Operator)
	if !ok || !c.pinned(m) {
		return nil, false
	}
	return c.privateKey(m.IdentityKey)
}

// pinned says whether a member has the identity still that a request pinned.
func (c *Core) pinned(m types.Member) bool {
	_, valid := c.view.Roster.Key(m.Operator, m.IdentityVersion)
	return valid
}

func (c *Core) privateKey(public []byte) (ed25519.PrivateKey, bool) {
	for _, id := range c.opts.Identities {
		if string(id.Public().(ed25519.PublicKey)) == string(public) {
			return id, true
		}
	}
	return nil, false
}

// findSelf looks up which participant this node is. The newest identity that
// is registered and not revoked counts.
func (c *Core) findSelf(r *types.Roster) Self { return newestOf(c.opts.Identities, r) }

// operator is whose shares this node has, its identity revoked or not; false if none was
// ever registered.
func (c *Core) operator() (types.Operator, bool) {
	if c.self.Operator != "" {
		return c.self.Operator, true
	}
	for i := len(c.opts.Identities) - 1; i >= 0; i-- {
		if own, registered := c.view.Roster.Find(c.opts.Identities[i].Public().(ed25519.PublicKey)); registered {
			return own.Operator, true
		}
	}
	return "", false
}

// bereaved is which participant a node is that lost its store.
func (c *Core) bereaved() Self { return newestOf(c.opts.LostIdentities, c.view.Roster) }

// heeded: the chain hears what this identity says unasked. One that another replaced may be
// in the hands of others, and speaks only where a request pinned it.
func (c *Core) heeded(self Self) bool {
	_, current := c.view.Roster.CurrentKey(self.Operator, self.Version)
	return current
}

func newestOf(identities []ed25519.PrivateKey, r *types.Roster) Self {
	for i := len(identities) - 1; i >= 0; i-- {
		key := identities[i]
		ov, ok := r.Find(key.Public().(ed25519.PublicKey))
		if !ok {
			continue
		}
		if _, valid := r.Key(ov.Operator, ov.Version); valid {
			return Self{Operator: ov.Operator, Version: ov.Version, Key: key}
		}
	}
	return Self{}
}
