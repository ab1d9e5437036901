package p2p

import (
	"sync"
	"testing"

	cmtp2p "github.com/cometbft/cometbft/p2p"
	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// What is put together is what generated code makes of it.
func TestPackedBytes(t *testing.T) {
	var all []parcel
	frame := &wire.Frame{}
	for i, size := range []int{0, 1, 200, 20_000} {
		e := alice.envelope(wire.KIND_ROUND, "bob", uint64(i), make([]byte, size))
		p, err := newParcel(e)
		require.NoError(t, err)
		hash, err := hashOf(e)
		require.NoError(t, err)
		require.Equal(t, hash, p.hash())
		require.Equal(t, wrapped(e), pack([]parcel{p}).bytes)
		all, frame.Envelopes = append(all, p), append(frame.Envelopes, e)
	}
	packed := pack(all)
	require.Equal(t, wrapped(frame), packed.bytes)
	bz, err := proto.Marshal(packed.Wrap()) // as CometBFT does
	require.NoError(t, err)
	require.Equal(t, []byte(wrapped(frame)), bz)
}

// refusing is a peer whose queue is full at first, and that keeps the bytes of each try.
type refusing struct {
	*fakePeer
	mu    sync.Mutex
	tries []encoded
}

func (p *refusing) TrySend(e cmtp2p.Envelope) bool {
	o := e.Message.(*outgoing)
	if _, envelope := o.Message.(*wire.Envelope); !envelope {
		return true // a hello
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tries = append(p.tries, o.bytes)
	return len(p.tries) > 2
}

func (p *refusing) tried() []encoded {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.tries
}

// A broadcast is encoded once, for all members and for all tries.
func TestEncodedOnce(t *testing.T) {
	r, _ := lone(t, Options{}, defaultLimits())
	r.SetRoster(rosterOf(alice, bob, carol))
	require.NoError(t, r.Start())
	bobs, carols := &refusing{fakePeer: newFakePeer("bobs")}, &refusing{fakePeer: newFakePeer("carols")}
	for _, p := range []*refusing{bobs, carols} {
		r.InitPeer(p)
		r.AddPeer(p)
	}
	deliver(r, bobs, bob.hello("bobs"))
	deliver(r, carols, carol.hello("carols"))
	eventually(t, "both are known", func() bool { return len(r.Reachable()) == 2 })

	e := alice.envelope(wire.KIND_ROUND, "", 1, make([]byte, 1000))
	require.True(t, r.Send("bob", e))
	require.True(t, r.Send("carol", e))
	eventually(t, "both have it", func() bool { return len(bobs.tried()) == 3 && len(carols.tried()) == 3 })
	first := bobs.tried()[0]
	require.Equal(t, wrapped(e), first)
	for _, bz := range append(bobs.tried(), carols.tried()...) {
		require.Same(t, &first[0], &bz[0])
	}
}
