package cli

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	"github.com/sequencer-mpc/sequencer/storage/audit"
)

func TestInspectText(t *testing.T) {
	ended := time.Unix(1003, 0)
	r := mpcnode.InspectReport{
		ID: "late",
		Outcomes: []mpcnode.OutcomeReport{{
			Kind: "sign", ID: "late", KeyID: "key", Status: "ERROR", Reason: "expired", Remedy: "ask with a new id", Owner: "me", RequestedHeight: 10,
			DecidedHeight: 40, Faults: []mpcnode.FaultReport{{Participant: "op-2", Accuser: "op-0", Reason: "stalled", Attempt: 1, Height: 20}},
		}},
		Sessions: []mpcnode.TimelineReport{{
			Session: "0123456789", Kind: "sign", Request: "late", Leader: "op-0", Presigned: true,
			Candidates: []mpcnode.CandidateReport{{Operator: "op-1", Signer: true, Why: "it was ready"}, {Operator: "op-3", Why: "it was ready, and others are less suspected", Suspicion: 2}},
			Steps: []mpcnode.StepReport{
				{Phase: "preparing", Began: time.Unix(1000, 0), Took: 1.5, Waits: []mpcnode.WaitReport{{Operator: "op-2", Seconds: 1.2}}},
				{Phase: "running", Round: 4, Rounds: 9, Began: time.Unix(1001, 0), Took: 2, Computed: 0.5},
			},
			Sent: 5, SentBytes: 23_456, Received: 3, ReceivedBytes: 99, Resent: 2, Ended: &ended, Reason: "stalled", Remedy: "are they up?", Culprits: []string{"op-2"},
		}},
		Notes: []mpcnode.NoteReport{{At: ended, What: "this node refuses an attempt", Reason: "busy", Remedy: "wait", Leader: "op-1"}},
	}
	text := inspectText{r, []audit.Entry{{
		Time: ended, Event: audit.Begin, Kind: "sign", Request: "late", Session: "fedcba9876", Attempt: 1, Signers: []string{"op-0", "op-1"},
	}}}.text()
	for _, want := range []string{
		`(?m)^sign late +ERROR$`, `(?m)^  reason +expired: ask with a new id$`, `(?m)^  decided +at height 40, 30 blocks later$`,
		`(?m)^  fault +op-2: stalled, attempt 1, height 20, accused by op-0$`, `(?m)^session 01234567 +sign with a presignature late, attempt 0, led by op-0$`,
		`(?m)^  signer +op-1: it was ready$`, `(?m)^  not a signer +op-3: .* \(suspicion 2\)$`,
		`(?m)^  preparing +00:16:40.000  1.5s, waiting for op-2 1.2s$`, `(?m)^  round 4 of 9 +00:16:41.000  2s, computing 500ms$`,
		`(?m)^  traffic +5 sent \(2 again\), 23.5 KB; 3 received, 99 bytes$`, `(?m)^  end +00:16:43.000  stalled of op-2: are they up\?$`,
		`(?m)^  1970-01-01 00:16:43  fedcba98  sign/late attempt 1  begin  by op-0 op-1$`,
		`this node refuses an attempt of op-1: busy: wait`,
	} {
		require.Regexp(t, want, text)
	}
	text = inspectText{InspectReport: mpcnode.InspectReport{Outcomes: []mpcnode.OutcomeReport{{
		Kind: "keygen", ID: "old", Status: "DELETING", Remedy: "use another key", RetireHeight: 99, DeletionAcks: []string{"op-1"}, MissingShares: []string{"op-2"}, Reshare: "more",
	}}}}.text()
	for _, want := range []string{
		`(?m)^  remedy +use another key$`, `(?m)^  destroyed +at height 99$`, `(?m)^  destroyed by +op-1$`, `(?m)^  no share +op-2, they said on chain$`, `(?m)^  reshare +more is open$`,
	} {
		require.Regexp(t, want, text)
	}
	require.Contains(t, inspectText{InspectReport: mpcnode.InspectReport{ID: "x"}}.text(), `no key, signature or reshare "x"`)
	_, err := run(t, fullNode(t), "mpc", "inspect", "x")
	require.ErrorIs(t, err, mpcnode.ErrNotRunning)
}
