package mpc

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// signedBy is what the participants of a key would sign together.
func signedBy(key *secp256k1.PrivateKey, r types.Request) types.SignatureResult {
	compact := ecdsa.SignCompact(key, r.Digest, true) // header, r, s
	return types.SignatureResult{RequestID: r.ID.ID, R: compact[1:33], S: compact[33:], V: uint32(compact[0]-27-4) & 1}
}

func gossipOf(s types.SignatureResult) *wire.Gossip {
	return &wire.Gossip{Sum: &wire.Gossip_Signature{Signature: s.ToWire()}}
}

// falseSignature has the shape of one of a request; each number is another one.
func falseSignature(r types.Request, n byte) types.SignatureResult {
	s := signedBy(secp256k1.PrivKeyFromBytes([]byte("of nobody")), r)
	s.R[31] ^= n
	return s
}

// signingDesk has an open request, and the key, of which op-00 has a share.
func signingDesk(t *testing.T) (*desk, types.Request, *secp256k1.PrivateKey) {
	d := newDesk(t, 4)
	r, secret := d.request(types.KindSign), secp256k1.PrivKeyFromBytes([]byte("of all"))
	r.PublicKey = secret.PubKey().SerializeCompressed()
	d.hold(r.KeySession, types.StatusReady)
	d.view.Requests = []types.Request{r}
	d.start()
	return d, r, secret
}

// TestFalseSignaturesKeepNoneOut: whoever tells false signatures of a request is
// charged for each, and does not keep a proposer that signs nothing itself from the
// true one, in the same block.
func TestFalseSignaturesKeepNoneOut(t *testing.T) {
	d, r, secret := signingDesk(t)
	for n := range byte(100) {
		_, err := d.core.Judge(gossipOf(falseSignature(r, n)))
		require.ErrorIs(t, err, types.ErrBadResult)
	}
	require.Empty(t, d.core.Results().Signatures)
	d.hear(signedBy(secret, r))
	require.Len(t, d.core.Results().Signatures, 1)
}

// TestFalseResultsOfRefusals: the same by way of refusals costs the participant that
// refuses: its results are not looked at until the next block, those of others are.
func TestFalseResultsOfRefusals(t *testing.T) {
	open := func() (*desk, types.Request, *secp256k1.PrivateKey) {
		d, r, secret := signingDesk(t)
		d.core.HandleEnvelope(d.prepare(r.Initiator(0), r.ID, 0, 1))
		return d, r, secret
	}
	d, r, secret := open()
	refuse := func(from types.Operator, s types.SignatureResult) {
		d.refuses(from, r.ID, wire.Refuse{Reason: string(types.ErrAlreadyDecided), Result: gossipOf(s)})
	}
	for n := range byte(100) {
		refuse("op-02", falseSignature(r, n))
	}
	require.Equal(t, maxFalseResults, d.dropped[types.ErrBadResult], "no more of them are looked at")
	refuse("op-02", signedBy(secret, r))
	require.Empty(t, d.core.Results().Signatures)
	refuse("op-03", signedBy(secret, r))
	require.Len(t, d.core.Results().Signatures, 1)

	d, r, secret = open()
	for n := range byte(100) {
		refuse("op-02", falseSignature(r, n))
	}
	d.commit()
	refuse("op-02", signedBy(secret, r))
	require.Len(t, d.core.Results().Signatures, 1, "in the next block it may speak again")
}

// TestRefusalsOfOtherSessions: what somebody said to another session, maybe before a
// rollback, is nothing to this one, and costs it nothing, whoever repeats it.
func TestRefusalsOfOtherSessions(t *testing.T) {
	d, r, secret := signingDesk(t)
	d.core.HandleEnvelope(d.prepare(r.Initiator(0), r.ID, 0, 1))
	for n := range byte(100) {
		refusal := wire.Refuse{Reason: string(types.ErrAlreadyDecided), Result: gossipOf(falseSignature(r, n))}
		body, err := refusal.Marshal()
		require.NoError(t, err)
		d.core.HandleEnvelope(d.signedIn(types.Hash{n}, "op-02", wire.KIND_REFUSE, 1, r.ID, body))
	}
	require.Zero(t, d.dropped[types.ErrBadResult])
	require.Empty(t, d.core.falseResults)
	d.refuses("op-02", r.ID, wire.Refuse{Reason: string(types.ErrAlreadyDecided), Result: gossipOf(signedBy(secret, r))})
	require.Len(t, d.core.Results().Signatures, 1)
}

// TestFalseAttestationIsPaidOnce: who repeats another one's false word makes it pay no
// more for it, and does not keep its true ones out.
func TestFalseAttestationIsPaidOnce(t *testing.T) {
	d := newDesk(t, 4)
	r := d.request(types.KindKeygen)
	d.view.Requests = []types.Request{r}
	d.start()
	say := func(attempt uint32, payload []byte) types.Attestation {
		a := types.Attestation{
			Request: r.ID, Commitment: r.Commitment(deskChain), Attempt: attempt, Session: winning, Payload: payload,
			Operator: "op-01", IdentityVersion: 1,
		}
		a.Sign(deskChain, d.keys["op-01"])
		return a
	}
	wrong := say(0, sharesOf(3))
	for range 3 * maxFalseResults {
		d.hear(wrong)
	}
	require.Equal(t, 1, d.core.falseResults["op-01"])
	require.Equal(t, 1, d.dropped[types.ErrProtocolFault])
	forged := wrong
	forged.Operator = "op-02"
	for range 3 * maxFalseResults {
		d.hear(forged)
	}
	require.Zero(t, d.core.falseResults["op-02"], "nobody pays for what it did not sign")
	d.hear(say(0, sharesOf(4)))
	require.Len(t, d.core.Results().Attestations, 1)
}

// TestJudgedFor: a signature counts for the request that it was verified against.
func TestJudgedFor(t *testing.T) {
	d, r, secret := signingDesk(t)
	truth := gossipOf(signedBy(secret, r))
	j, err := d.core.Judge(truth)
	require.NoError(t, err)

	other := r
	other.Digest = append(make([]byte, 31), 2)
	d.view.Requests = []types.Request{other} // after a rollback
	d.commit()
	d.core.HandleGossip(t.Context(), j)
	require.Empty(t, d.core.Results().Signatures, "the digest is another one now")

	d.view.Requests = nil
	d.commit()
	early, err := d.core.Judge(truth)
	require.NoError(t, err, "of no open request: nobody's fault")
	d.view.Requests = []types.Request{r}
	d.commit()
	d.core.HandleGossip(t.Context(), early)
	require.Empty(t, d.core.Results().Signatures, "nobody verified it")
	d.core.HandleGossip(t.Context(), j)
	require.Len(t, d.core.Results().Signatures, 1)
}

// TestJudgeBesideTheLoop: other goroutines judge while blocks come.
func TestJudgeBesideTheLoop(t *testing.T) {
	d, r, secret := signingDesk(t)
	proof := told(d.prove(&r, "op-02"))
	var wait sync.WaitGroup
	wrong := make(chan error, 4)
	for i := range 4 {
		wait.Go(func() {
			for n := range byte(50) {
				if _, err := d.core.Judge(gossipOf(falseSignature(r, n))); err == nil {
					wrong <- fmt.Errorf("worker %d: false signature %d passes", i, n)
					return
				}
				for _, g := range []*wire.Gossip{gossipOf(signedBy(secret, r)), proof} {
					if _, err := d.core.Judge(g); err != nil {
						wrong <- err
						return
					}
				}
			}
		})
	}
	for range 50 {
		d.view.Height++
		d.commit()
	}
	wait.Wait()
	close(wrong)
	for err := range wrong {
		require.NoError(t, err)
	}
}

// TestEngineJudgesBeforeItsLoop: what is false costs the loop nothing.
func TestEngineJudgesBeforeItsLoop(t *testing.T) {
	d, r, secret := signingDesk(t)
	e := &Engine{core: d.core, inbox: newQueue()} // its loop does not run
	for n := range byte(20) {
		require.ErrorIs(t, e.ReceiveGossip("peer", gossipOf(falseSignature(r, n))), types.ErrBadResult)
	}
	require.Zero(t, e.inbox.length())
	require.NoError(t, e.ReceiveGossip("peer", gossipOf(signedBy(secret, r))))
	for _, item := range e.inbox.take() {
		item.run()
	}
	require.Len(t, d.core.Results().Signatures, 1)
}

// TestEngineJudgesProofBeforeItsLoop: neither the signatures of proof nor what the chain
// has of it cost the loop anything, of whichever key, and whoever repeats it; false proof
// is the fault of who brings it.
func TestEngineJudgesProofBeforeItsLoop(t *testing.T) {
	d := newDesk(t, 4)
	r, key := d.request(types.KindSign), types.Key{ID: "of-others", Status: types.KeyReady, Session: types.Context{5}, RetireHeight: 1000}
	key.Participants = d.ops[1:]
	d.view.Requests = []types.Request{r}
	d.view.Keys[key.ID] = key
	presign, ok := types.PresignRequest(&key, d.view.Roster)
	require.True(t, ok)
	d.start()
	d.core.view.Keys = nil // those that this node does not hold are not in its view
	d.reads.Store(0)
	e := &Engine{core: d.core, inbox: newQueue()}
	loop := func() {
		before := d.reads.Load()
		for _, item := range e.inbox.take() {
			item.run()
		}
		require.Equal(t, before, d.reads.Load(), "the loop read state")
	}
	forged := d.prove(&r, "op-02")
	forged.Second.Signature[0]++
	require.ErrorIs(t, e.ReceiveGossip("peer", told(forged)), types.ErrBadResult)
	require.Zero(t, e.inbox.length())
	require.Zero(t, d.reads.Load(), "false proof is worth no look at the state")

	of := d.proveIn(&presign, "op-03", types.Context{6})
	of.KeyID = key.ID
	proofs := []types.Evidence{d.prove(&r, "op-02"), of}
	for _, proof := range proofs {
		require.NoError(t, e.ReceiveGossip("peer", told(proof)))
	}
	require.Equal(t, int64(3), d.reads.Load(), "two of proof, one of a key")
	loop()
	require.ElementsMatch(t, proofs, d.core.Results().Evidence)
	for _, proof := range proofs {
		require.NoError(t, e.ReceiveGossip("peer", told(proof)))
	}
	require.Equal(t, int64(3), d.reads.Load(), "it is here already")
	loop()
	require.Contains(t, d.core.interest(), key.ID, "the next view has the keys of what is told")
	d.commit()
	require.ElementsMatch(t, proofs, d.core.Results().Evidence)
}

// TestJudgedProofOfAnotherView: what a block brought between judgement and loop counts.
func TestJudgedProofOfAnotherView(t *testing.T) {
	d := newDesk(t, 4)
	r := d.request(types.KindSign)
	d.view.Requests = []types.Request{r}
	d.start()
	proof := d.prove(&r, "op-02")
	judged, err := d.core.Judge(told(proof))
	require.NoError(t, err)

	d.view.Faults = []types.Fault{{Participant: "op-02", Request: r.ID, Session: proof.Context()}}
	d.commit()
	d.core.HandleGossip(t.Context(), judged)
	require.Empty(t, d.core.Results().Evidence, "the chain has it")

	d.view.Faults, d.view.Requests, d.view.Height = nil, nil, d.view.Height-1 // rolled back
	d.commit()
	d.core.HandleGossip(t.Context(), judged)
	require.Len(t, d.core.Results().Evidence, 1, "the request was open a moment ago")
}

// TestRefusalsBringNoProof: a Refuse is looked at on the loop, and has no room for what
// must be looked up.
func TestRefusalsBringNoProof(t *testing.T) {
	d, r, _ := waiting(t)
	d.reads.Store(0)
	d.refuses("op-02", r.ID, wire.Refuse{Reason: string(types.ErrAlreadyDecided), Result: told(d.prove(r, "op-03"))})
	require.Empty(t, d.core.Results().Evidence)
	require.Zero(t, d.reads.Load())
}

// unreadable is a desk whose state cannot always be read.
type unreadable struct {
	*desk
	err error
}

func (u *unreadable) Proven(ctx context.Context, op types.Operator, session types.Context) (bool, error) {
	known, err := u.desk.Proven(ctx, op, session)
	return known, errors.Join(err, u.err)
}

// TestJudgeWithoutState: proof of which the state does not say whether it is known is not
// kept, and is nobody's fault; it is taken when it comes again.
func TestJudgeWithoutState(t *testing.T) {
	d := newDesk(t, 4)
	r := d.request(types.KindSign)
	d.view.Requests = []types.Request{r}
	state := &unreadable{d, errors.New("no such version")}
	d.start(func(o *Options) { o.Chain = state })
	d.hear(d.prove(&r, "op-02"))
	require.Empty(t, d.core.Results().Evidence)
	state.err = nil
	d.hear(d.prove(&r, "op-02"))
	require.Len(t, d.core.Results().Evidence, 1)
}

// Who says of ever other keys that it has no share of them, or destroyed it, makes a node
// read no more of them between two blocks than an honest one would.
func TestUnaskedWordsAreLookedAtSometimes(t *testing.T) {
	d := newDesk(t, 4)
	d.start()
	said := 0
	says := func(op types.Operator, kind types.RequestKind) {
		said++
		a := types.Attestation{Request: types.RequestID{Kind: kind, ID: fmt.Sprint("key-", said)}, Operator: op, IdentityVersion: 1}
		if kind != types.KindDelete {
			a.Session = winning
		}
		a.Sign(deskChain, d.keys[op])
		_, err := d.core.Judge(&wire.Gossip{Sum: &wire.Gossip_Attestation{Attestation: a.ToWire()}})
		require.NoError(t, err)
	}
	for range 2 * maxLooks {
		says("op-01", types.KindDelete)
		says("op-01", types.KindShareMissing)
	}
	require.EqualValues(t, maxLooks, d.reads.Load())
	says("op-02", types.KindDelete)
	require.EqualValues(t, maxLooks+1, d.reads.Load(), "another one's words are looked at")
	d.commit()
	before := d.reads.Load()
	says("op-01", types.KindDelete)
	require.Equal(t, before+1, d.reads.Load())
}

// acks are words of op-01 that it destroyed its share of so many keys, which the chain
// lacks, and of which the view of this node has none.
func acks(d *desk, n int) (words []types.Attestation) {
	for i := range n {
		key := types.Key{ID: types.KeyID(fmt.Sprint("gone-", i)), Status: types.KeyDeleted, Holders: d.ops[1:2]}
		d.view.Keys[key.ID] = key
		a := types.Attestation{
			Request: types.RequestID{Kind: types.KindDelete, ID: string(key.ID)}, Commitment: key.DeletionCommitment(deskChain),
			Operator: "op-01", IdentityVersion: 1,
		}
		a.Sign(deskChain, d.keys["op-01"])
		words = append(words, a)
	}
	return words
}

// taken says whether a word that a peer brings is wanted.
func (d *desk) taken(peer string, a types.Attestation) bool {
	d.t.Helper()
	j, err := d.core.judgeFrom(peer, told(a))
	require.NoError(d.t, err)
	return j.attested != nil
}

// The same word costs one look, however often it is told, and by whomever.
func TestRepeatedWordsCostOneLook(t *testing.T) {
	d := newDesk(t, 4)
	words := acks(d, maxLooks)
	d.start()
	d.core.view.Keys = nil
	d.reads.Store(0)
	for _, peer := range []string{"a", "a", "b", "a"} {
		for _, a := range words[:maxLooks-1] {
			require.True(t, d.taken(peer, a))
		}
	}
	require.EqualValues(t, maxLooks-1, d.reads.Load())
	require.True(t, d.taken("a", words[maxLooks-1]), "one is left")
}

// What is here already, or is about a key that the view has, costs none.
func TestKnownWordsCostNoLook(t *testing.T) {
	d := newDesk(t, 4)
	words := acks(d, 3*maxLooks)
	d.start()
	d.reads.Store(0)
	for _, a := range words[:2*maxLooks] {
		require.True(t, d.taken("a", a))
		d.hear(a)
	}
	require.Len(t, d.core.Results().Attestations, 2*maxLooks)
	d.core.view.Keys = nil
	for _, a := range words[:2*maxLooks] {
		require.False(t, d.taken("a", a), "it is here")
	}
	require.Zero(t, d.reads.Load())
	for _, a := range words[2*maxLooks:] {
		require.True(t, d.taken("a", a))
	}
}

// Whoever repeats what a participant said long ago, and the chain knows, keeps none of its
// new words out that others bring.
func TestReplaysKeepNoWordsOut(t *testing.T) {
	d := newDesk(t, 4)
	words := acks(d, 2*maxLooks+1)
	old, fresh := words[:2*maxLooks], words[2*maxLooks]
	for _, a := range old {
		key := d.view.Keys[types.KeyID(a.Request.ID)]
		key.DeletionAcked = []types.Operator{"op-01"}
		d.view.Keys[key.ID] = key
	}
	d.start()
	for range 3 { // blocks
		d.core.view.Keys = nil
		for _, a := range old {
			require.False(t, d.taken("who repeats", a))
		}
		require.False(t, d.taken("who repeats", fresh))
		require.True(t, d.taken("another", fresh))
		d.commit()
	}
}
