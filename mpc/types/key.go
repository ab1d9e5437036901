package types

import "slices"

// KeyStatus is the life of a key on chain. The numbers are those of the
// on-chain API.
type KeyStatus uint32

// The statuses of a key on chain.
const (
	KeyPending  KeyStatus = 1
	KeyReady    KeyStatus = 2
	KeyError    KeyStatus = 3
	KeyDeleting KeyStatus = 4
	KeyDeleted  KeyStatus = 5
)

// String is the name that operators see.
func (s KeyStatus) String() string {
	switch s {
	case KeyPending:
		return "PENDING"
	case KeyReady:
		return "READY"
	case KeyError:
		return "ERROR"
	case KeyDeleting:
		return "DELETING"
	case KeyDeleted:
		return "DELETED"
	}
	return "UNKNOWN"
}

// Key is a key as the chain has it, as far as a node must know.
type Key struct {
	ID     KeyID
	Status KeyStatus
	Epoch  uint64
	// Session is the context of the session that won; zero before READY.
	Session Context
	// Commitment is Request.Commitment of the request that the session answered; zero
	// before READY, and of an epoch of before there was one.
	Commitment Hash
	// NextSession is the context of the session of a reshare whose shares the
	// chain tests now; zero otherwise.
	NextSession Context
	Algorithm   Algorithm
	Threshold   int
	// Participants ascend.
	Participants []Operator
	PublicKey    []byte
	// DecidedHeight is the block that made it READY or ERROR, or began its epoch.
	DecidedHeight int64
	// RetireHeight is the first block at which what the last decision put an end to
	// may be destroyed: for READY and ERROR the shares of sessions that lost, for DELETED
	// everything. A DELETING key becomes DELETED in it, and nothing of it goes before. The chain
	// fixed it in the block that decided; 0 while PENDING.
	RetireHeight int64
	// EndedEpochs are the ends of earlier epochs, ascending. See EndOf.
	EndedEpochs []EndedEpoch
	// StagedRetireHeight is the same for what reshares made that failed, where these have no
	// end of their own; 0 if none failed, or one is open. See StagedEnd.
	StagedRetireHeight int64
	// Holders ever attested a share of any epoch, ascending; a deletion waits
	// for their word.
	Holders []Operator
	// MissingShares lists the participants that said that they have no share of the
	// epoch, ascending.
	MissingShares []Operator
	// FoundShares lists those that took it back, once for each epoch, ascending.
	FoundShares []Operator
	// DeletionAcked lists who attested the destruction of its share.
	DeletionAcked []Operator
}

// EndedEpoch is the first block at which the shares of an epoch, and of those before it down
// to the one that the entry before is of, may be destroyed.
type EndedEpoch struct {
	Epoch        uint64
	RetireHeight int64
}

// EndOf is the first block at which the shares of an earlier epoch may be destroyed. Of a key
// that the chain knows no ends of it is that of the last decision.
func (k *Key) EndOf(epoch uint64) int64 {
	for _, e := range k.EndedEpochs {
		if e.Epoch >= epoch {
			return e.RetireHeight
		}
	}
	return k.RetireHeight
}

// EndedReshare is what the chain says of a reshare that is over.
type EndedReshare struct {
	// KeyID is the key that it was of; empty if the chain does not keep it any more.
	KeyID KeyID
	// RetireHeight is the first block at which what it made may be destroyed, as the chain fixed
	// it in the block in which it failed; 0 if it did not fail, or before chains fixed that.
	RetireHeight int64
}

// StagedEnd is the first block at which what a reshare of the key made that failed may be
// destroyed; 0 if that is not known yet. Neither does a later one that fails put it off nor one
// that is open. A deletion that was taken back does, by RetireHeight, which it raises for all
// that there is. Of a reshare that the chain knows no end of it is that of the last one which
// failed.
func (k *Key) StagedEnd(r EndedReshare) int64 {
	if r.RetireHeight == 0 || r.KeyID != k.ID { // another branch may have the id for another key
		return k.StagedRetireHeight
	}
	return max(r.RetireHeight, k.RetireHeight)
}

// AwaitsAck reports that the key is deleted, and that the chain waits for a
// participant's word that it destroyed what it had.
func (k *Key) AwaitsAck(op Operator) bool {
	return k.Status == KeyDeleted && slices.Contains(k.Holders, op) && !slices.Contains(k.DeletionAcked, op)
}

// AwaitsMissing reports that the key signs with shares of a session of which a participant
// should have one, and that the chain does not know that it has none. Saying so is attempt
// 0, or 1 for who took it back before: nobody else can bring the first word again.
func (k *Key) AwaitsMissing(op Operator, session Context, attempt uint32) bool {
	again := slices.Contains(k.FoundShares, op)
	return k.uses(op, session) && !slices.Contains(k.MissingShares, op) && (attempt == 1) == again && attempt <= 1
}

// AwaitsFound reports that the chain has it that a participant has no share of a session,
// which the participant may still take back.
func (k *Key) AwaitsFound(op Operator, session Context) bool {
	return k.uses(op, session) && slices.Contains(k.MissingShares, op) && !slices.Contains(k.FoundShares, op)
}

// uses: the key signs with shares of a session, one of them of this participant.
func (k *Key) uses(op Operator, session Context) bool {
	return k.Status == KeyReady && k.Session == session && slices.Contains(k.Participants, op)
}

// DeletionCommitment names the deletion of the key as one chain decided it, once. It is
// over all that a deletion ends: the shares of the present epoch and the request that
// made them, the block in which it was decided that they are to go, and that of the last
// reshare that failed and left staged ones. A chain that was rolled back and deletes a
// key of the same id has another one, unless everything that there was to destroy is the
// same again; and what is destroyed is destroyed on every branch.
func (k *Key) DeletionCommitment(chainID string) Hash {
	return k.epochBytes("deletion", chainID).
		u64(uint64(k.RetireHeight)).u64(uint64(k.StagedRetireHeight)).sum()
}

// EpochCommitment names the present epoch of the key as one chain began it, once. Two
// branches of a chain have it in common only if the epoch began before they parted. Who
// said on one that it has no share of it did not get one on the other either; who takes it
// back may have to on both.
func (k *Key) EpochCommitment(chainID string) Hash { return k.epochBytes("epoch", chainID).sum() }

func (k *Key) epochBytes(domain, chainID string) *signBytes {
	return newSignBytes(domain).
		str(chainID).str(string(k.ID)).bytes(k.PublicKey).u64(k.Epoch).hash(k.Session).hash(k.Commitment).
		u64(uint64(k.DecidedHeight))
}
