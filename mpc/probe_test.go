package mpc

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// pings are the Pings that went out since the last call, by recipient.
func (d *desk) pings() map[string]wire.Ping {
	d.t.Helper()
	all := make(map[string]wire.Ping)
	for _, e := range d.sent {
		require.Equal(d.t, wire.KIND_PING, e.Header.Kind)
		_, err := types.VerifyEnvelope(e, deskChain, d.public("op-00"))
		require.NoError(d.t, err)
		var p wire.Ping
		require.NoError(d.t, p.Unmarshal(e.Body))
		all[e.Header.To] = p
	}
	d.sent = nil
	return all
}

// says is an envelope of a probe.
func (d *desk) says(from types.Operator, kind wire.Kind, to types.Operator, body interface{ Marshal() ([]byte, error) }) types.Verified {
	d.t.Helper()
	bz, err := body.Marshal()
	require.NoError(d.t, err)
	h := wire.Header{
		ChainId: deskChain, Context: make([]byte, 32), Kind: kind, From: string(from), IdentityVersion: 1, To: string(to),
		Sequence: 1, RequestId: probeRequest,
	}
	v, err := types.VerifyEnvelope(types.SignEnvelope(&h, bz, d.keys[from]), deskChain, d.public(from))
	require.NoError(d.t, err)
	return v
}

// Who is asked answers, who is down does not; what is late or forged counts for nothing.
func TestProbe(t *testing.T) {
	d := newDesk(t, 4)
	d.start()
	var got [][]Answer
	require.NoError(t, d.core.Probe("key", func(a []Answer) { got = append(got, a) }))
	asked := d.pings()
	require.Len(t, asked, 3)
	ping := asked["op-01"]
	require.Equal(t, "key", ping.KeyId)

	d.now = d.now.Add(40 * time.Millisecond)
	pong := wire.Pong{
		Nonce: ping.Nonce, Version: "v1\x1b[2J", Height: 9, TimeMs: d.now.Add(time.Minute).UnixMilli(), HasShare: true, Epoch: 3,
	}
	forged := pong
	forged.Nonce = make([]byte, nonceBytes)
	d.core.HandleEnvelope(d.says("op-01", wire.KIND_PONG, "op-00", &forged))
	early := pong
	early.Count = 1 // nobody asked a second time yet
	d.core.HandleEnvelope(d.says("op-01", wire.KIND_PONG, "op-00", &early))
	d.core.HandleEnvelope(d.says("op-01", wire.KIND_PONG, "op-00", &pong))
	d.core.HandleEnvelope(d.says("op-01", wire.KIND_PONG, "op-00", &pong))
	require.Empty(t, got)

	d.now = d.now.Add(probeAgain)
	d.core.Tick()
	again := d.pings()
	require.Len(t, again, 2, "who answered is not asked again")
	require.Equal(t, uint32(1), again["op-02"].Count)
	d.now = d.now.Add(10 * time.Millisecond)
	d.core.HandleEnvelope(d.says("op-02", wire.KIND_PONG, "op-00", &wire.Pong{Nonce: ping.Nonce, Count: 1, TimeMs: d.now.UnixMilli()}))
	require.Empty(t, got, "op-03 may still answer")

	d.now = d.now.Add(ProbePatience)
	d.core.Tick()
	d.core.Tick()
	require.Len(t, got, 1)
	require.Equal(t, []Answer{
		{Operator: "op-01", IdentityVersion: 1, RoundTrip: 40 * time.Millisecond, Version: "v1[2J", Height: 9,
			ClockAhead: time.Minute + 20*time.Millisecond, HasShare: true, Epoch: 3},
		{Operator: "op-02", IdentityVersion: 1, RoundTrip: 10 * time.Millisecond, ClockAhead: 5 * time.Millisecond},
	}, got[0])
	require.Empty(t, d.core.probes)
	d.core.HandleEnvelope(d.says("op-03", wire.KIND_PONG, "op-00", &pong))
	require.Len(t, got, 1)
}

// Nobody can make a node keep many probes, and one that nobody is there for ends at once.
func TestProbesAreBounded(t *testing.T) {
	d := newDesk(t, 3)
	d.start()
	ended := 0
	for range maxProbes {
		require.NoError(t, d.core.Probe("", func([]Answer) { ended++ }))
	}
	require.ErrorIs(t, d.core.Probe("", nil), types.ErrBusy)
	require.Zero(t, ended, "those who asked before wait for their answers")
	require.Equal(t, maxProbes, d.core.Holdings().Probes)

	alone := newDesk(t, 1)
	alone.start()
	require.NoError(t, alone.core.Probe("", func(a []Answer) { require.Empty(t, a); ended++ }))
	require.Equal(t, 1, ended)
	alone.core.self = Self{}
	require.ErrorIs(t, alone.core.Probe("", nil), ErrNoProbe)
}

func TestPing(t *testing.T) {
	d := newDesk(t, 3)
	d.hold(types.Context{5}, types.StatusReady)
	d.start(func(o *Options) { o.Version = "v2" })
	nonce := make([]byte, nonceBytes)
	ask := func(from, to types.Operator, p wire.Ping) []*wire.Envelope {
		d.sent = nil
		d.core.HandleEnvelope(d.says(from, wire.KIND_PING, to, &p))
		return d.sent
	}
	sent := ask("op-01", "op-00", wire.Ping{Nonce: nonce, Count: 7, KeyId: "key"})
	require.Len(t, sent, 1)
	_, err := types.VerifyEnvelope(sent[0], deskChain, d.public("op-00"))
	require.NoError(t, err)
	require.Equal(t, wire.KIND_PONG, sent[0].Header.Kind)
	require.Equal(t, "op-01", sent[0].Header.To)
	var pong wire.Pong
	require.NoError(t, pong.Unmarshal(sent[0].Body))
	require.Equal(t, wire.Pong{Nonce: nonce, Count: 7, Version: "v2", Height: 10, TimeMs: d.now.UnixMilli(), HasShare: true}, pong)

	require.Empty(t, ask("op-01", "op-00", wire.Ping{Nonce: nonce}), "it was answered just now")
	require.Len(t, ask("op-02", "op-00", wire.Ping{Nonce: nonce}), 1, "another one was not")
	d.now = d.now.Add(pongPause)
	require.Empty(t, ask("op-01", "", wire.Ping{Nonce: nonce}), "it is for this node or for nobody")
	require.Empty(t, ask("op-01", "op-00", wire.Ping{Nonce: nonce[1:]}))
	require.Equal(t, 1, d.dropped[types.ErrProtocolFault])
	sent = ask("op-01", "op-00", wire.Ping{Nonce: nonce, KeyId: "other"})
	require.Len(t, sent, 1)
	pong = wire.Pong{}
	require.NoError(t, pong.Unmarshal(sent[0].Body))
	require.False(t, pong.HasShare)

	require.Equal(t, 2, d.core.Holdings().Answered)
	d.core.Tick()
	require.Equal(t, 1, d.core.Holdings().Answered, "who was answered longer ago may ask again")
	d.now = d.now.Add(pongPause)
	d.core.Tick()
	require.Zero(t, d.core.Holdings().Answered)
}
