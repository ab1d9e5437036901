package mpc_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/sequencer-mpc/sequencer/mpc"
	"github.com/sequencer-mpc/sequencer/mpc/tss"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
	"github.com/sequencer-mpc/sequencer/testutil/fixtures"
	"github.com/sequencer-mpc/sequencer/testutil/memstore"
)

const boardID = "board-of-three"

// board is a program without a chain: what its members agreed on is in its memory, and
// its engines are in one process. A real one agrees by some consensus, for an engine
// signs all that it is shown as committed.
type board struct {
	mu      sync.Mutex
	agreed  mpc.View
	engines map[types.Operator]*mpc.Engine
	// identities are the public keys that sign what members tell each other.
	identities map[types.Operator]ed25519.PublicKey
	signed     chan types.SignatureResult
}

// decide changes what is committed. Each change is a block, and wakes the engines.
func (b *board) decide(change func(*mpc.View)) {
	b.mu.Lock()
	next := b.agreed // a view that an engine has is never written to
	next.Height++
	change(&next)
	b.agreed = next
	b.mu.Unlock()
	for _, e := range b.engines {
		e.Wake()
	}
}

// View implements mpc.Chain.
func (b *board) View(context.Context, []types.KeyID) (*mpc.View, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	v := b.agreed
	return &v, nil
}

// Key implements mpc.Chain.
func (b *board) Key(_ context.Context, id types.KeyID) (types.Key, bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	k, known := b.agreed.Keys[id]
	return k, known, nil
}

// Unacknowledged implements mpc.Chain: this board deletes no keys.
func (*board) Unacknowledged(context.Context, types.Operator) ([]types.KeyID, error) {
	return nil, nil
}

// Proven implements mpc.Chain: it keeps no proof of who cheated.
func (*board) Proven(context.Context, types.Operator, types.Context) (bool, error) {
	return false, nil
}

// ReshareEnded implements mpc.Chain: it reshares nothing.
func (*board) ReshareEnded(context.Context, string) (types.EndedReshare, bool, error) {
	return types.EndedReshare{}, false, nil
}

// Signature implements mpc.Chain: it forgets what it signed.
func (*board) Signature(context.Context, string) (types.SignatureResult, bool, error) {
	return types.SignatureResult{}, false, nil
}

// order is what this board signs: to pay an amount to somebody.
type order struct {
	number, amount uint64
	payee          string
}

// data is the payload, NUMBER/AMOUNT/PAYEE.
func (o order) data() []byte { return fmt.Appendf(nil, "%d/%d/%s", o.number, o.amount, o.payee) }

// Digest implements types.DecodedPayload. What is hashed begins with a text of its own, so
// that no order can be taken for anything else that the key signs.
func (o order) Digest() types.Hash {
	return sha256.Sum256(append([]byte("order of the board\n"), o.data()...))
}

// Claims implements types.DecodedPayload: what a policy of the key looks at.
func (o order) Claims() types.Claims {
	return types.Claims{To: o.payee, Value: new(big.Int).SetUint64(o.amount), Place: fmt.Sprint("number ", o.number), Effect: o.Digest()}
}

// Finish implements types.DecodedPayload: what the payee takes to its bank.
func (o order) Finish(_ []byte, s *types.SignatureResult) (types.FinishedPayload, error) {
	return types.FinishedPayload{Raw: fmt.Appendf(o.data(), " %x%x", s.R, s.S)}, nil
}

// orders is the kind of payload. Every member's engine decodes what it is asked to sign,
// and signs nothing that it does not understand or that has another digest.
type orders struct{}

// Name implements types.PayloadKind.
func (orders) Name() string { return "order" }

// Decode implements types.PayloadKind: it takes what data wrote, and nothing else.
func (orders) Decode(data []byte) (types.DecodedPayload, error) {
	parts := strings.Split(string(data), "/")
	if len(parts) != 3 || parts[2] == "" {
		return nil, errors.New("an order is NUMBER/AMOUNT/PAYEE") // under bad_payload
	}
	number, badNumber := strconv.ParseUint(parts[0], 10, 64)
	amount, badAmount := strconv.ParseUint(parts[1], 10, 64)
	if err := errors.Join(badNumber, badAmount); err != nil {
		return nil, err
	}
	o := order{number, amount, parts[2]}
	if !bytes.Equal(o.data(), data) {
		return nil, fmt.Errorf("%w: write it as %s", types.ErrNotCanonical, o.data())
	}
	return o, nil
}

// kinds are what members of the board sign; the same for all.
var kinds = types.NewPayloadKinds(orders{})

// line is a member's way to the others.
type line struct{ board *board }

// Send implements mpc.Transport. What comes over a network must be verified before an
// engine gets it.
func (l line) Send(to types.Operator, e *wire.Envelope) bool {
	from := types.Operator(e.Header.From)
	v, err := types.VerifyEnvelope(e, boardID, l.board.identities[from])
	if err != nil {
		return false
	}
	l.board.engines[to].Receive(v)
	return true
}

// Gossip implements mpc.Transport. Results prove themselves; a chain would have them
// proposed, see Engine.Results.
func (l line) Gossip(g *wire.Gossip) {
	s, ok := g.Sum.(*wire.Gossip_Signature)
	if !ok {
		return
	}
	if result, err := types.SignatureResultFromWire(s.Signature); err == nil {
		select {
		case l.board.signed <- result:
		default:
		}
	}
}

// SetRoster implements mpc.Transport: nobody else is on the line.
func (line) SetRoster(*types.Roster) {}

// SetSelf implements mpc.Transport: nobody need find anybody.
func (line) SetSelf(mpc.Self) {}

// seat makes the engine of one member. Its store has the share that an earlier keygen
// (a request of types.KindKeygen) left there, and forgets it with the process. A real one is
// the DB that storage.Open opens, and storage.Create made: a folder on disk, in which all is
// encrypted under a passphrase and durable before it is used.
func (b *board) seat(op types.Operator, identity ed25519.PrivateKey, share types.Record) error {
	store := memstore.New()
	for _, status := range []types.Status{types.StatusPending, types.StatusReady} {
		share.Status = status
		if err := store.PutRecord(share); err != nil {
			return err
		}
	}
	engine, err := mpc.New(mpc.Options{
		ChainID: boardID, Identities: []ed25519.PrivateKey{identity}, Chain: b, Store: store, Transport: line{b},
		Kinds:     kinds,                                // without them it signs bare digests only, of which nobody can say what they are of
		Protocols: tss.New(tss.AllowInsecureFixtures()), // the key is published; without the option it signs nothing
	}, 1)
	b.engines[op] = engine
	return err
}

// Three engines in one program, with no chain and no network: two of three members sign
// with a key that all of them have a share of.
func Example() {
	fixture := fixtures.Shares(3, 1)
	b := &board{
		engines: make(map[types.Operator]*mpc.Engine), identities: make(map[types.Operator]ed25519.PublicKey),
		signed: make(chan types.SignatureResult, 1),
	}
	roster := make(map[types.Operator][]types.Identity)
	var members []types.Member
	for i, op := range fixture.Operators {
		seed := sha256.Sum256([]byte(op))
		identity := ed25519.NewKeyFromSeed(seed[:])
		b.identities[op] = identity.Public().(ed25519.PublicKey)
		roster[op] = []types.Identity{{Version: 1, Key: b.identities[op]}}
		members = append(members, types.Member{Operator: op, IdentityVersion: 1, IdentityKey: b.identities[op]})
		err := b.seat(op, identity, types.Record{
			RecordKey: types.RecordKey{KeyID: "treasury", Session: fixture.Session}, Algorithm: types.ECDSASecp256k1,
			Context: fixture.Session, Participants: fixture.Operators, Threshold: fixture.Threshold,
			PublicKey: fixture.Payload.PublicKey, Payload: fixture.Payload.Encode(), Data: fixture.Shares[i], IdentityVersion: 1,
		})
		if err != nil {
			fmt.Println(err)
			return
		}
	}
	key := types.Key{
		ID: "treasury", Status: types.KeyReady, Session: fixture.Session, Algorithm: types.ECDSASecp256k1, Threshold: fixture.Threshold,
		Participants: fixture.Operators, PublicKey: fixture.Payload.PublicKey, Holders: fixture.Operators,
	}
	b.agreed = mpc.View{Height: 1, Roster: types.NewRoster(roster), Keys: map[types.KeyID]types.Key{key.ID: key}}

	// Engines run until their context ends.
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	defer running.Wait()
	defer stop()
	for op, engine := range b.engines {
		running.Go(func() {
			if err := engine.Run(ctx); err != nil {
				fmt.Println(op, err)
			}
		})
	}

	// The members agree to sign. All that a signature depends on is in the request, and
	// each of them reads for itself what it is that it signs.
	payload := types.Payload{Kind: orders{}.Name(), Data: order{number: 1, amount: 100, payee: "baker"}.data()}
	decoded, err := kinds.Decode(payload)
	if err != nil {
		fmt.Println(err)
		return
	}
	digest := decoded.Digest()
	b.decide(func(v *mpc.View) {
		v.Requests = []types.Request{{
			ID: types.RequestID{Kind: types.KindSign, ID: "payment-1"}, KeyID: key.ID, Algorithm: key.Algorithm, Threshold: key.Threshold,
			Members: members, Height: v.Height, ExpiryHeight: v.Height + 100, AttemptBlocks: 10, StartTimeout: 10 * time.Second,
			Payload: payload, Digest: digest[:], KeySession: key.Session, PublicKey: key.PublicKey,
		}}
	})
	signature := <-b.signed
	b.decide(func(v *mpc.View) { v.Requests = nil })

	fmt.Println(signature.RequestID, types.VerifySignature(key.PublicKey, digest[:], &signature))
	finished, err := decoded.Finish(key.PublicKey, &signature)
	fmt.Printf("%s… %v\n", finished.Raw[:len(payload.Data)], err)
	// Output:
	// payment-1 <nil>
	// 1/100/baker… <nil>
}
