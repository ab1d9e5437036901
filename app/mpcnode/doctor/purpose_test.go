package doctor

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// Enough for a signature, or not.
func TestPurpose(t *testing.T) {
	f := healthy()
	f.For = Sign
	for i, want := range []Level{OK, Warning, Problem} {
		r := Examine(f)
		last := r.Findings[len(r.Findings)-1]
		require.Equal(t, want, last.Level, last.Detail)
		require.Equal(t, "sign", last.Check)
		f.Node.Participants[i+1].Answered = false
	}
	f = healthy()
	f.For = Sign
	f.Node.Key.MissingShares = []string{"op-1"}
	f.Node.Participants[2].Epoch = 0
	last := Examine(f).Findings
	require.Equal(t, Problem, last[len(last)-1].Level, "who has no share cannot sign")
	f = healthy()
	f.Key, f.Node.Key, f.For = "", nil, Sign
	for i := 1; i < 4; i++ {
		f.Node.Participants[i].Answered = false
	}
	last = Examine(f).Findings
	require.Equal(t, Problem, last[len(last)-1].Level, "no key signs by one participant")
	require.Contains(t, last[len(last)-1].Detail, "1 of 4")
	_, err := ParsePurpose("anything")
	require.Error(t, err)
}

// Without the name of a key, each key of the node is judged by itself.
func TestHeldKeys(t *testing.T) {
	f := healthy()
	f.Key, f.Node.Key, f.For = "", nil, Sign
	f.Node.Participants[2].Answered = false
	all := []string{"op-0", "op-1", "op-2", "op-3"}
	f.Node.Held = []mpcnode.HeldKey{
		{KeyID: "well", Threshold: 1, Participants: all},
		{KeyID: "edge", Threshold: 2, Participants: all},
		{KeyID: "away", Threshold: 2, Participants: []string{"op-0", "op-2", "op-3"}},
		{KeyID: "lost", Threshold: 2, Participants: all, MissingShares: []string{"op-1", "op-3"}},
		{KeyID: "left", Threshold: 1, Participants: []string{"op-0", "op-9"}},
		{KeyID: "ours", Threshold: 2, Participants: []string{"op-0", "op-1", "op-3"}},
	}
	f.Node.Status.MissingShares = []mpcnode.MissingShare{{KeyID: "ours", What: mpcnode.ShareMissing}}
	r := Examine(f)
	var lines []string
	for _, found := range r.Findings {
		if found.Check == "sign" {
			lines = append(lines, string(found.Level)+" "+string(found.Reason)+": "+found.Detail)
		}
	}
	require.Equal(t, []string{
		"problem stalled: away cannot be signed with now: 2 of 3 participants are there with a share, 3 are needed: op-2 does not answer",
		"problem too_few_signers: lost cannot be signed with now: 1 of 4 participants are there with a share, 3 are needed: op-1 has no share, op-2 does not answer, op-3 has no share",
		"problem too_few_signers: left cannot be signed with now: 1 of 2 participants are there with a share, 2 are needed: op-9 has no identity",
		"problem too_few_signers: ours cannot be signed with now: 2 of 3 participants are there with a share, 3 are needed: op-0 has no share",
		"warning stalled: of edge just as many participants are there as are needed: none may be lost",
		"ok : 2 of 6 READY keys of this node can be signed with now; whether all have the share of one: --key ID",
	}, lines)

	f.Node.Held = nil
	for i := range 2 * maxKeysNamed {
		f.Node.Held = append(f.Node.Held, mpcnode.HeldKey{KeyID: fmt.Sprint("key-", i), Threshold: 3, Participants: all})
	}
	found := bad(Examine(f))
	require.Len(t, found, maxKeysNamed+3, "the participant, the share, ten keys, and how many more")
	require.Equal(t, "and 10 more keys cannot be signed with now", found[len(found)-1].Detail)
}

// A reshare takes as many of the old participants as sign, and all of the new ones.
func TestPurposeReshare(t *testing.T) {
	summary := func(f Facts) (levels []Level, details string) {
		f.For = Reshare
		for _, found := range Examine(f).Findings {
			if found.Check == "reshare" {
				levels, details = append(levels, found.Level), details+found.Detail+"\n"
			}
		}
		return levels, details
	}
	levels, details := summary(healthy())
	require.Equal(t, []Level{OK, OK}, levels, details)

	joins := healthy()
	joins.Node.Participants = append(joins.Node.Participants, mpcnode.ParticipantReport{Operator: "op-4", IdentityVersion: 1})
	levels, details = summary(joins)
	require.Equal(t, []Level{OK, Problem}, levels, "who is registered is to have a share, and op-4 is silent")
	require.Contains(t, details, "4 of 5 participants to be are there, 5 are needed")
	joins.Committee = []string{"op-0", "op-1", "op-2", "op-3"}
	levels, _ = summary(joins)
	require.Equal(t, []Level{OK, OK}, levels, "others were named")
	joins.Committee = []string{"op-0", "op-1", "op-9"}
	levels, details = summary(joins)
	require.Equal(t, []Level{OK, Problem, OK}, levels)
	require.Contains(t, details, "op-9 is to get a share and has no identity")

	leaves := healthy()
	leaves.Node.Participants[3].Answered = false
	leaves.Committee = []string{"op-0", "op-1", "op-2"}
	levels, details = summary(leaves)
	require.Equal(t, []Level{Warning, OK}, levels, details)
	require.Contains(t, details, "3 of 4 participants of now are there with a share, just as many")
	leaves.Node.Participants[2].HasShare = false
	levels, _ = summary(leaves)
	require.Equal(t, []Level{Problem, OK}, levels, "who has no share deals none, and may get one")
}

// A keygen takes whom the chain chooses, not everybody that ever registered.
func TestPurposeKeygen(t *testing.T) {
	examine := func(f Facts) (r Report, lines []string) {
		f.For, f.Key, f.Node.Key = Keygen, "", nil
		r = Examine(f)
		for _, found := range r.Findings {
			if found.Check == "keygen" {
				lines = append(lines, string(found.Level)+" "+string(found.Reason)+": "+found.Detail)
			}
		}
		return r, lines
	}
	left := func() Facts {
		f := healthy()
		f.Node.Participants = append(f.Node.Participants, mpcnode.ParticipantReport{Operator: "op-4", IdentityVersion: 1})
		f.Node.Chosen = &mpcnode.ChosenReport{Operators: []string{"op-0", "op-1", "op-2", "op-3"}}
		return f
	}
	const leavesOut = "ok : the chain leaves out op-4: jailed, not bonded, or of less power than the 4 that it takes"
	r, lines := examine(left())
	require.Empty(t, bad(r), "who left long ago is not needed")
	require.Equal(t, []string{leavesOut, "ok : 4 of 4 participants to be are there, 4 are needed"}, lines)

	f := left()
	f.Node.Participants[1].Answered = false
	r, lines = examine(f)
	require.Equal(t, 2, r.Problems)
	require.Equal(t, []string{leavesOut, "problem stalled: 3 of 4 participants to be are there, 4 are needed"}, lines)
	f.Committee = []string{"op-0", "op-2", "op-3"}
	f.Node.Chosen.Operators = f.Committee
	r, lines = examine(f)
	require.Empty(t, bad(r))
	require.Equal(t, []string{"ok : 3 of 3 participants to be are there, 3 are needed"}, lines)

	f = left()
	f.Node.Validator, f.Node.Chosen.Operators = mpcnode.ValidatorJailed, []string{"op-1", "op-2", "op-3"}
	r, lines = examine(f)
	require.Len(t, bad(r), 1)
	require.Equal(t, "validator", bad(r)[0].Check)
	require.Equal(t, "ok : the chain leaves out op-0, op-4: jailed, not bonded, or of less power than the 3 that it takes", lines[0])
	f.Node.Validator = mpcnode.ValidatorBonded
	_, lines = examine(f)
	require.Equal(t, "warning : the chain leaves this node out: its validator has less power than each of the 3 that it takes (max_participants)", lines[0])

	f = left()
	f.Node.Chosen = &mpcnode.ChosenReport{Refusal: "t = 4 needs 5", Reason: string(types.ErrTooFewParticipants)}
	_, lines = examine(f)
	require.Equal(t, []string{"problem too_few_participants: the chain would refuse it now: t = 4 needs 5"}, lines)
	f.Committee, f.Node.Chosen.Refusal, f.Node.Chosen.Reason = []string{"op-0", "op-4"}, "op-4", string(types.ErrNotBonded)
	_, lines = examine(f)
	require.Equal(t, []string{"problem participant_not_bonded: the chain would refuse it now: op-4", "problem stalled: 1 of 2 participants to be are there, 2 are needed"}, lines)
}

// Of those that hold the key and get no share by its reshare not all must be there.
func TestReshareWithoutAHolder(t *testing.T) {
	f := healthy()
	f.For, f.Committee, f.Node.Participants[3].Answered = Reshare, []string{"op-0", "op-1", "op-2"}, false
	found := bad(Examine(f))
	require.Len(t, found, 2)
	require.Equal(t, []Level{Warning, Warning}, []Level{found[0].Level, found[1].Level})
	f.Committee = nil
	f.Node.Chosen = &mpcnode.ChosenReport{Operators: []string{"op-0", "op-1", "op-2"}}
	require.Zero(t, Examine(f).Problems)
	f.Key, f.Node.Key = "", nil
	require.Empty(t, bad(Examine(f)))
}
