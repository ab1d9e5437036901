package tss_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/tss"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/fixtures"
)

// No test may leave a goroutine behind.
// go-log, which the library logs through, has one writer for the whole process.
// Measuring brings whole nodes in, whose libraries have some; one of them starts
// its own when it is linked.
func TestMain(m *testing.M) {
	if os.Getenv("MPC_BENCH") != "" {
		os.Exit(m.Run())
	}
	goleak.VerifyTestMain(m,
		goleak.IgnoreTopFunction("github.com/ipfs/go-log/writer.(*MirrorWriter).logRoutine"),
		goleak.IgnoreTopFunction("github.com/desertbit/timer.timerRoutine"))
}

var fixtureProtocols = tss.New(tss.AllowInsecureFixtures())

func protocol(t testing.TB, kind types.RequestKind) session.Protocol {
	t.Helper()
	p, err := fixtureProtocols.Protocol(kind, types.ECDSASecp256k1)
	require.NoError(t, err)
	return p
}

func signConfig(k fixtures.KeySet, digest []byte, self types.Operator, signers []types.Operator) session.PartyConfig {
	return session.PartyConfig{
		Request: k.SignRequest("signature", digest), Context: types.Context{1},
		Self: self, Signers: signers, Share: k.Share(self),
	}
}

// signParties makes one party for each of these participants of a key.
func signParties(t testing.TB, k fixtures.KeySet, digest []byte, signers []types.Operator) map[types.Operator]session.Party {
	t.Helper()
	parties := make(map[types.Operator]session.Party)
	for _, op := range signers {
		p, err := protocol(t, types.KindSign).NewParty(signConfig(k, digest, op, signers))
		require.NoError(t, err)
		parties[op] = p
	}
	return parties
}

func keygenConfig(k fixtures.KeySet, self int) session.PartyConfig {
	return session.PartyConfig{
		Request: fixtures.KeygenRequest(k.Operators, k.Threshold), Context: k.Session,
		Self: k.Operators[self], Signers: k.Operators, Preparams: fixtures.Preparams(self),
	}
}

// requireBlame wants a fault of exactly this peer.
func requireBlame(t testing.TB, err error, culprit types.Operator, text string) {
	t.Helper()
	var fault *session.Fault
	require.ErrorAs(t, err, &fault)
	require.Equal(t, []types.Operator{culprit}, fault.Culprits)
	require.ErrorContains(t, err, text)
	require.Equal(t, types.ErrProtocolFault, types.ReasonOf(err))
}

// requireAmong: some of these did it, nobody can say which.
func requireAmong(t testing.TB, err error, text string, among ...types.Operator) {
	t.Helper()
	var fault *session.Fault
	require.ErrorAs(t, err, &fault)
	require.True(t, fault.Among)
	require.ElementsMatch(t, among, fault.Culprits)
	require.ErrorContains(t, err, text)
}

// requireNoBlame wants a protocol fault that names nobody.
func requireNoBlame(t testing.TB, err error, text string) {
	t.Helper()
	var fault *session.Fault
	require.NotErrorAs(t, err, &fault)
	require.ErrorIs(t, err, types.ErrProtocolFault)
	require.ErrorContains(t, err, text)
}
