package mpc

import (
	"crypto/ed25519"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// noticeOutdated says once that the chain goes by an identity of this node's
// operator whose key the node does not have, as after a rotation without a restart.
// Such a node looks healthy and takes no part in anything that is asked from then
// on.
func (c *Core) noticeOutdated() {
	version := c.lackedIdentity()
	if version == c.outdated || c.view.CatchingUp {
		return
	}
	c.outdated = version
	if version == 0 {
		return
	}
	c.opts.Log.Warn("this node takes no part in new requests: it does not have the identity that the chain goes by",
		"reason", types.ErrIdentityOld, "registered_version", version, "own_version", c.self.Version,
		"remedy", types.ErrIdentityOld.Remedy())
}

// lackedIdentity is the version of the operator's present identity if its key is not
// here; 0 if it is, or if there is none. Identities that were revoked name the
// operator too.
func (c *Core) lackedIdentity() uint32 {
	for _, key := range c.opts.Identities {
		own, registered := c.view.Roster.Find(key.Public().(ed25519.PublicKey))
		if !registered {
			continue
		}
		current, valid := c.view.Roster.Current(own.Operator)
		if _, here := c.privateKey(current.Key); !valid || here {
			return 0
		}
		return current.Version
	}
	return 0
}

// withoutIdentity is why this node cannot act under the identity that a request
// pinned: it does not have it, or it has been revoked.
func (c *Core) withoutIdentity(r *types.Request) types.Reason {
	if m, ok := r.Member(c.self.Operator); ok {
		if _, valid := c.view.Roster.Key(m.Operator, m.IdentityVersion); valid {
			return types.ErrIdentityOld
		}
	}
	return types.ErrIdentityRevoked
}
