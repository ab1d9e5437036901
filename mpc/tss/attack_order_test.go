package tss_test

import (
	"slices"
	"testing"

	tsslib "github.com/bnb-chain/tss-lib/v2/tss"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/tss"
)

// A message with the wrong broadcast flag fills its sender's place and is never
// accepted: the library waits for ever, without an error. With us the flag
// follows from the type.
func TestWrongFlagHangs(t *testing.T) {
	rounds := signStage.transcript()
	ours := signVictim(t)
	_, err := ours.Start()
	require.NoError(t, err)
	step, err := ours.Deliver(1, rounds[0])
	require.NoError(t, err)
	require.Equal(t, []string{"s2"}, []string{step.Out[0].Type})
	if testing.Short() || raceEnabled {
		t.Skip("heavy: half a second of CPU")
	}
	victim := bareSign(0)
	require.Nil(t, victim.Start())
	var peer *tsslib.PartyID
	for _, m := range rounds[0] {
		content, err := tss.DecodeBody(m.Type, m.Body)
		require.NoError(t, err)
		peer = victim.id(m.Type, m.From)
		const cast = false // true of s1m1 alone
		_, terr := victim.Update(rawMessage(peer, cast, content))
		require.Nil(t, terr)
	}
	require.Equal(t, []*tsslib.PartyID{peer}, victim.WaitingFor(), "the library goes on")
}

// The library lets a second message replace the first: after it saw what others
// opened, a peer can commit again (notes of the session: first write wins).
func TestSecondMessage(t *testing.T) {
	rounds := signStage.transcript()
	twice := append(slices.Clone(rounds[2]), rounds[2]...)
	requireBlame(t, tss.Judge(signVictim(t), 3, twice), rounds[2][0].From, "came twice")
	if testing.Short() || raceEnabled {
		t.Skip("heavy: half a second of CPU")
	}
	victim := bareSign(0)
	require.Nil(t, victim.Start())
	first := edited(t, rounds[0][1], func(m s1m2) { m.Commitment = []byte{1} })
	for _, m := range []session.Inbound{first, rounds[0][1]} {
		require.Equal(t, "s1m2", m.Type)
		require.Nil(t, victim.receive(m))
	}
	require.Nil(t, victim.receive(rounds[0][0]))
	for _, in := range rounds[1:] {
		for _, m := range in {
			require.Nil(t, victim.receive(m), "the first one counted")
		}
	}
	require.True(t, victim.ended())
}
