package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/p2p"
	"github.com/sequencer-mpc/sequencer/storage"
)

// healthy is a running node, op-0, of four, and a key of all of them.
func healthy() Facts {
	node := &mpcnode.Checkup{
		Version:  "v1",
		Status:   mpcnode.StatusReport{Engine: mpcnode.EngineRunning, Operator: "op-0", IdentityVersion: 1, Height: 70, Preparams: 2, Peers: 3},
		Identity: mpcnode.IdentityReport{Keys: 1, Operator: "op-0", Version: 1, Current: 1}, PreparamsTarget: 2,
		Clock: mpcnode.ClockReport{Now: time.Unix(1000, 0), BlockTime: time.Unix(998, 0), MaxAge: 30}, Asked: true, Validator: mpcnode.ValidatorBonded,
		Signer: &mpcnode.SignerReport{Address: "AA", Own: true},
		Key: &mpcnode.OutcomeReport{
			Kind: "keygen", ID: "key", KeyID: "key", Status: "READY", Epoch: 1, Threshold: 2, Participants: []string{"op-0", "op-1", "op-2", "op-3"},
		},
	}
	for i := range 4 {
		p := mpcnode.ParticipantReport{Operator: fmt.Sprintf("op-%d", i), IdentityVersion: 1, Self: i == 0}
		if !p.Self {
			p.Answered, p.AnsweredAs, p.Direct, p.RoundTrip, p.Version, p.Height, p.HasShare, p.Epoch = true, 1, i != 3, 0.04, "v1", 70, true, 1
		}
		node.Participants = append(node.Participants, p)
	}
	return Facts{
		Key:  "key",
		Node: node,
		Files: Files{
			Enabled: true, Folder: "/home/mpc", IdentityKeys: 1, HasDatabase: true, PreparamsTarget: 2,
			Passphrase: Passphrase{Source: "file:config/mpc.pass", Tried: true}, Disks: []Disk{{Path: "/home/mpc", Free: 100 << 30}},
			Signer: &Signer{KeyFile: "/home/config/key.json", StateFile: "/home/data/state.json", HasKey: true, HasState: true, Height: 70},
		},
	}
}

// stopped is the same node while it does not run.
func stopped() Facts {
	f := healthy()
	f.Node, f.NodeError, f.Key = nil, fmt.Errorf("%w (/home/mpc.sock)", mpcnode.ErrNotRunning), ""
	f.Files.Opened = &Database{Records: 3, Shares: 2, Preparams: 2}
	return f
}

// bad are the findings that are not ok.
func bad(r Report) (found []Finding) {
	for _, f := range r.Findings {
		if f.Level != OK {
			found = append(found, f)
		}
	}
	return found
}

func TestHealthy(t *testing.T) {
	for _, purpose := range []Purpose{"", Keygen, Sign, Reshare} {
		f := healthy()
		f.For = purpose
		r := Examine(f)
		require.Empty(t, bad(r), purpose)
		require.Zero(t, r.Problems+r.Warnings)
		checks := make(map[string]bool)
		for _, found := range r.Findings {
			checks[found.Check] = true
			require.Empty(t, found.Remedy)
		}
		for _, check := range []string{
			"node", "identity", "validator", "consensus key", "passphrase", "database", "disk", "clock", "pre-parameters", "presignatures", "shares", "peers", "participant", "versions", "key", "epoch",
		} {
			require.True(t, checks[check], check)
		}
	}
	r := Examine(stopped())
	require.Equal(t, 1, r.Warnings)
	require.Zero(t, r.Problems)
	require.Equal(t, "node", bad(r)[0].Check)
	require.Contains(t, bad(r)[0].Remedy, "sequencerd start")

	full := healthy() // a node without an identity
	full.Files.IdentityKeys, full.Files.HasDatabase, full.Files.Passphrase = 0, false, Passphrase{}
	full.Key, full.Node.Key, full.Node.Asked, full.Node.Identity = "", nil, false, mpcnode.IdentityReport{}
	require.Empty(t, bad(Examine(full)))
	full.For = Sign
	require.Contains(t, bad(Examine(full))[0].Remedy, "mpc identity create")
}

// Of a node of another user nobody says that it hangs, or that it should be started again.
func TestNodeOfAnotherUser(t *testing.T) {
	f := stopped()
	f.NodeError = fmt.Errorf("%w (/home/mpc.sock)", mpcnode.ErrOtherUser)
	found := bad(Examine(f))
	require.Len(t, found, 1)
	require.Equal(t, "node", found[0].Check)
	require.Equal(t, Problem, found[0].Level)
	require.Contains(t, found[0].Remedy, "sudo -u")
	require.NotContains(t, found[0].Detail+found[0].Remedy, "start")
	require.Contains(t, found[0].Detail, "/home/mpc.sock")
}

// Each staged failure is the one thing that is found, and nothing else is blamed for it.
func TestStagedFailures(t *testing.T) {
	down := func(f *Facts) { f.Node.Participants[2].Answered, f.Node.Participants[2].Direct = false, false }
	for _, c := range []struct {
		name  string
		stage func(*Facts)
		level Level
		check string
		// says and remedy are in detail and remedy.
		reason       types.Reason
		says, remedy string
		more         int // further findings that follow from it
	}{
		{"one participant down", down, Warning, "participant", types.ErrStalled, "op-2 does not answer", "up and connected", 0},
		{"one down, keygen", func(f *Facts) { down(f); f.For = Keygen }, Problem, "participant", types.ErrStalled, "op-2", "up and connected", 1},
		{"one down, signature", func(f *Facts) { down(f); f.For = Sign }, Warning, "participant", types.ErrStalled, "op-2", "up", 1},
		{"peer of an older version", func(f *Facts) { f.Node.Participants[2].Answered = false }, Warning, "participant", types.ErrStalled, "older version", "up", 0},
		{"wrong passphrase, running", func(f *Facts) { f.Files.Passphrase.Error = storage.ErrWrongPassphrase }, Problem, "passphrase", "", "next start would fail", "--mpc-passphrase", 0},
		{"no pre-parameters", func(f *Facts) { f.Node.Status.Preparams = 0 }, Warning, "pre-parameters", types.ErrNoPreparams, "none of 2", "being made", 0},
		{"no pre-parameters, keygen", func(f *Facts) { f.Node.Status.Preparams = 0; f.For = Keygen }, Problem, "pre-parameters", types.ErrNoPreparams, "none of 2", "being made", 0},
		{"no pre-parameters, signature", func(f *Facts) { f.Node.Status.Preparams = 0; f.For = Sign }, Warning, "pre-parameters", types.ErrNoPreparams, "signs as ever", "being made", 0},
		{"clock ahead by a minute", clocks(-60), Problem, "clock", types.ErrCatchingUp, "60 s ahead of the other", "timedatectl", 0},
		{"clock behind by a minute", clocks(60), Warning, "clock", "", "60 s behind the other", "timedatectl", 0},
		{"clock ahead, as the engine found", func(f *Facts) { f.Node.Status.ClockAhead, f.Node.Status.CatchingUp = 60, true }, Problem, "clock", types.ErrCatchingUp, "60 s ahead of the chain's", "timedatectl", 0},
		{"clock ahead, before the engine found it", func(f *Facts) { clocks(-60)(f); f.Node.Status.CatchingUp = true }, Problem, "clock", types.ErrCatchingUp, "60 s ahead of the other", "timedatectl", 0},
		{"another one's identity", func(f *Facts) { f.Node.Participants[1].IdentityVersion = 2 }, Warning, "participant", types.ErrIdentityOld, "op-1 answers with version 1 of its identity, the chain goes by version 2", "its operator", 0},
		{"another one's identity, keygen", func(f *Facts) { f.Node.Participants[1].IdentityVersion = 2; f.For = Keygen }, Problem, "participant", types.ErrIdentityOld, "op-1", "its operator", 1},
		{"another one's clock, which is why it takes itself to be behind", func(f *Facts) {
			f.Node.Participants[1].ClockAhead, f.Node.Participants[1].CatchingUp = 60, true
		}, Warning, "participant", types.ErrCatchingUp, "its clock is 60 s ahead of this node's: all blocks look old", "timedatectl", 0},
		{"nobody else is there, signature", func(f *Facts) {
			f.Key, f.Node.Key, f.For = "", nil, Sign
			for i := 1; i < 4; i++ {
				f.Node.Participants[i].CatchingUp = true
			}
		}, Warning, "participant", types.ErrCatchingUp, "behind the chain", "wait", 3},
		{"many peers without the channel", func(f *Facts) {
			for i := range 5 {
				f.Node.Strangers = append(f.Node.Strangers, p2p.Stranger{ID: fmt.Sprint("peer", i)})
			}
		}, Warning, "peers", "", "5 without the MPC channel, nothing of MPC passes them: peer0, peer1, peer2 and 2 more", "enabled = true", 0},
		{"too few shares", func(f *Facts) {
			f.Node.Participants[1].HasShare = false
			f.Node.Status.MissingShares = []mpcnode.MissingShare{{KeyID: "key", Epoch: 1, What: mpcnode.ShareMissing}}
		}, Warning, "shares", types.ErrShareMissing, "the share of epoch 1 is missing", "reshare", 2},
		{"database missing, not asked", func(f *Facts) {
			f.Node.Status.Problem, f.Node.Status.Remedy, f.Node.Asked = "database_missing", types.ErrDatabaseLost.Remedy(), false
		}, Problem, "database", types.ErrDatabaseLost, "missing or damaged", "backup restore", 0},
		{"identity damaged when it was started", func(f *Facts) {
			f.Node.Status.Problem, f.Node.Status.Remedy, f.Node.Asked = "identity_unusable", types.ErrIdentityLost.Remedy(), false
		}, Problem, "identity", types.ErrIdentityLost, "missing or damaged", "identity", 0},
		{"one revoked", revoke("op-1"), Warning, "participant", types.ErrIdentityRevoked, "op-1 revoked its identity", "identity rotate", 0},
		{"too many revoked", revoke("op-1", "op-2"), Warning, "participant", types.ErrIdentityRevoked, "op-1 revoked its identity", "identity rotate", 2},
		{"deleted key, presignatures", func(f *Facts) { f.Node.Key.Status, f.Node.PresignTarget = "DELETED", 3 }, Problem, "key", types.ErrKeyDeleted, "DELETED", "another key", 0},
		{"another's key, presignatures", func(f *Facts) {
			f.Node.Key.Participants, f.Node.PresignTarget, f.For = []string{"op-1", "op-2", "op-3"}, 3, Sign
			f.Node.Participants[0].IdentityVersion = 1
		}, Warning, "sign", types.ErrStalled, "just as many", "up", 0},
		{"another one's clock", func(f *Facts) { f.Node.Participants[1].ClockAhead = 60 }, Warning, "participant", "", "its clock is 60 s ahead of this node's", "timedatectl", 0},
		{"peer without the channel", func(f *Facts) {
			f.Node.Strangers = []p2p.Stranger{{ID: "abc", Address: "1.2.3.4:26656", Moniker: "bob"}}
		}, Warning, "peers", "", `abc@1.2.3.4:26656 ("bob")`, "enabled = true", 0},
		{"no peer with the channel", func(f *Facts) { f.Node.Status.Peers = 0 }, Problem, "peers", types.ErrStalled, "nobody hears", "persistent_peers", 0},
		{"key in ERROR", func(f *Facts) {
			f.Node.Key.Status, f.Node.Key.Reason, f.Node.Key.DecidedHeight = "ERROR", "expired", 60
			f.Node.Key.Remedy = types.ErrExpired.Remedy()
		}, Problem, "key", types.ErrKeyFailed, "since height 60: expired", "with a new id; why it failed (expired): too few", 0},
		{"deleted key", func(f *Facts) { f.Node.Key.Status, f.Node.Key.DeletionAcks = "DELETED", []string{"op-1"} }, Problem, "key", types.ErrKeyDeleted, "1 of its participants", "another key", 0},
		{"key that is being deleted", func(f *Facts) { f.Node.Key.Status, f.Node.Key.RetireHeight = "DELETING", 99 }, Problem, "key", types.ErrKeyDeleted, "height 99", "undelete", 0},
		{"key that is being made", func(f *Facts) { f.Node.Key.Status, f.Node.Key.Attested = "PENDING", []string{"op-0", "op-1"} }, Warning, "key", types.ErrKeyNotReady, "not by op-2, op-3", "wait", 0},
		{"key that failed and was pruned", func(f *Facts) {
			f.Node.Key = &mpcnode.OutcomeReport{Kind: "keygen", ID: "key", Status: mpcnode.StatusPruned}
		}, Problem, "key", types.ErrPruned, "failed so long ago", "retention_blocks", 0},
		{"pruned request", func(f *Facts) {
			f.Request = "more"
			f.Node.Requests = []mpcnode.OutcomeReport{{Kind: "reshare", ID: "more", Status: mpcnode.StatusPruned}}
		}, Warning, "request", types.ErrPruned, "reshare more is over", "events of its block", 0},
		{"unknown key", func(f *Facts) { f.Node.Key = nil }, Problem, "key", types.ErrUnknownKey, "no key key", "query mpc keys", 0},
		{"expired request", func(f *Facts) {
			f.Request = "sig"
			f.Node.Requests = []mpcnode.OutcomeReport{{Kind: "sign", ID: "sig", Status: "ERROR", Reason: "expired", Remedy: types.ErrExpired.Remedy(), DecidedHeight: 50}}
		}, Problem, "request", types.ErrExpired, "sign sig is in ERROR since height 50: expired", "ask with a new id", 0},
		{"open request", func(f *Facts) {
			f.Request = "more"
			f.Node.Requests = []mpcnode.OutcomeReport{{Kind: "reshare", ID: "more", Status: "PENDING", ExpiryHeight: 90, Participants: []string{"op-0", "op-1"}, Attested: []string{"op-0"}}}
		}, Warning, "request", "", "expires at 90 (now 70); not attested by op-1", "mpc inspect more", 0},
		{"request that nobody made", func(f *Facts) { f.Request = "x" }, Problem, "request", types.ErrUnknownRequest, "no key, signature or reshare x", "check the id", 0},
		{"not registered", unasked(func(f *Facts) { f.Node.Identity.Operator = "" }), Problem, "identity", types.ErrUnregistered, "none of its keys, 1", "mpc register --from", 0},
		{"identity outdated", unasked(func(f *Facts) { f.Node.Identity.Current, f.Node.Status.IdentityOutdated = 2, 2 }), Problem, "identity", types.ErrIdentityOld, "goes by version 2", "start the node again", 0},
		{"identity revoked", func(f *Facts) { f.Node.Identity.Revoked = true }, Problem, "identity", types.ErrIdentityRevoked, "op-0 revoked", "identity rotate", 0},
		{"jailed", func(f *Facts) { f.Node.Validator = mpcnode.ValidatorJailed }, Warning, "validator", types.ErrNotBonded, "jailed: a keygen", "tx slashing unjail", 0},
		{"not bonded", func(f *Facts) { f.Node.Validator = mpcnode.ValidatorUnbonding }, Warning, "validator", types.ErrNotBonded, "not bonded (unbonding)", "tx staking delegate", 0},
		{"no validator", func(f *Facts) { f.Node.Validator = mpcnode.ValidatorGone }, Warning, "validator", types.ErrNotBonded, "has it no more", "create-validator", 0},
		{"another consensus key", func(f *Facts) { f.Node.Signer.Own = false }, Warning, "consensus key", "", "AA, and the validator of op-0 has another one, which signed none of the last 10 blocks", "priv_validator_key.json", 0},
		{"identity made since", func(f *Facts) { f.Files.IdentityKeys = 2 }, Warning, "identity", "", "newer key", "start the node again", 0},
		{"catching up", func(f *Facts) { f.Node.Status.CatchingUp = true }, Problem, "chain", types.ErrCatchingUp, "behind the chain", "wait", 0},
		{"catching up, not registered as yet", unasked(func(f *Facts) { f.Node.Identity.Operator, f.Node.Status.CatchingUp = "", true }), Problem, "chain", types.ErrCatchingUp, "behind the chain", "wait", 0},
		{"catching up, revoked and jailed once", func(f *Facts) {
			f.Node.Identity.Revoked, f.Node.Validator, f.Node.Status.CatchingUp = true, mpcnode.ValidatorJailed, true
		}, Problem, "chain", types.ErrCatchingUp, "behind the chain", "wait", 0},
		{"engine stopped", unasked(func(f *Facts) { f.Node.Status.Engine = "stopped: the disk is full" }), Problem, "node", types.ErrStorage, "the disk is full", "disk", 0},
		{"engine hangs", unasked(func(f *Facts) { f.Node.AskError = "the engine does not answer" }), Problem, "participant", types.ErrStorage, "the engine does not answer", "log", 0},
		{"database missing", func(f *Facts) {
			f.Node.Status.Problem, f.Node.Status.Remedy = "database_missing", types.ErrDatabaseLost.Remedy()
		}, Problem, "database", types.ErrDatabaseLost, "missing or damaged", "backup restore", 0},
		{"share missing", func(f *Facts) {
			f.Node.Status.MissingShares = []mpcnode.MissingShare{{KeyID: "key", Epoch: 1, What: mpcnode.ShareBehind}}
		}, Warning, "shares", types.ErrShareMissing, "key: the share of epoch 1 is behind", "reshare", 0},
		{"another epoch", func(f *Facts) { f.Node.Participants[1].Epoch = 0 }, Warning, "epoch", types.ErrShareMissing, "op-1 answers that it has epoch 0, the chain is at 1", "reshare", 0},
		{"another version", func(f *Facts) { f.Node.Participants[1].Version = "v2" }, Warning, "versions", "", "this node runs v1, others: v2 (op-1)", "upgrade", 0},
		{"MPC switched off", func(f *Facts) { f.Files.Enabled = false }, Problem, "mpc", "", "switched off", "enabled = true", 0},
		{"disk full", func(f *Facts) { f.Files.Disks[0].Free = 1 << 20 }, Problem, "disk", types.ErrStorage, "1 MiB free", "disk", 0},
		{"disk low", func(f *Facts) { f.Files.Disks[0].Free = 1 << 30 }, Warning, "disk", types.ErrStorage, "1.0 GiB free", "disk", 0},
		{"no presignatures", func(f *Facts) { f.Node.PresignTarget = 3 }, Warning, "presignatures", "", "the long way", "participants", 0},
		{"no presignatures of any key", func(f *Facts) {
			f.Key, f.Node.Key, f.Node.PresignTarget, f.Node.ReadyKeys = "", nil, 4, 3
			f.Node.Presignatures = []mpcnode.PresignatureReport{{KeyID: "a", Parked: 5}}
		}, Warning, "presignatures", "", "none is ready for requests that this node leads, of 12 to be kept, and none is being made", "participants below", 0},
		{"a key that too few can sign with", func(f *Facts) { f.Key, f.Node.Key, f.Node.SpentKeys = "", nil, 2 }, Warning, "shares", types.ErrTooFewSigners, "to sign: 2", "doctor --for sign", 0},
		{"no presignatures, behind", func(f *Facts) {
			f.Key, f.Node.Key, f.Node.PresignTarget, f.Node.ReadyKeys, f.Node.Status.CatchingUp = "", nil, 4, 3, true
		}, Problem, "chain", types.ErrCatchingUp, "behind the chain", "wait", 0},
		{"audit log fails", func(f *Facts) { f.Node.Status.AuditProblem = "disk full" }, Problem, "audit log", types.ErrStorage, "disk full", "disk", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := healthy()
			c.stage(&f)
			found := bad(Examine(f))
			require.Len(t, found, 1+c.more, "%v", found)
			require.Equal(t, c.level, found[0].Level)
			require.Equal(t, c.check, found[0].Check)
			require.Equal(t, c.reason, found[0].Reason)
			require.Contains(t, found[0].Detail, c.says)
			require.Contains(t, found[0].Remedy, c.remedy)
		})
	}
}

// unasked is of a node that cannot ask the others, so nobody answered.
func unasked(stage func(*Facts)) func(*Facts) {
	return func(f *Facts) {
		stage(f)
		f.Node.Asked = false
		for i := range f.Node.Participants {
			p := &f.Node.Participants[i]
			*p = mpcnode.ParticipantReport{Operator: p.Operator, IdentityVersion: p.IdentityVersion, Self: p.Self, Direct: p.Direct}
		}
	}
}

// revoke lets participants have no identity: their nodes can answer nothing.
func revoke(operators ...string) func(*Facts) {
	return func(f *Facts) {
		for i := range f.Node.Participants {
			if p := &f.Node.Participants[i]; slices.Contains(operators, p.Operator) {
				*p = mpcnode.ParticipantReport{Operator: p.Operator}
			}
		}
	}
}

// A key whose participants revoked signs nothing, though nobody lost a share.
func TestRevokedParticipants(t *testing.T) {
	f := healthy()
	revoke("op-1", "op-2")(&f)
	found := bad(Examine(f))
	last := found[len(found)-1]
	require.Equal(t, Finding{
		Check: "epoch", Level: Problem, Reason: types.ErrTooFewSigners, Remedy: types.ErrTooFewSigners.Remedy(),
		Detail: "at most 2 of 4 have an identity and a share of epoch 1, 3 are needed",
	}, last)
}

// A pool that fills says how far it is, and so does one that needs nothing.
func TestPresignaturesThatAreMade(t *testing.T) {
	line := func(keys int, pools ...mpcnode.PresignatureReport) string {
		f := healthy()
		f.Key, f.Node.Key, f.Node.PresignTarget, f.Node.ReadyKeys, f.Node.Presignatures = "", nil, 4, keys, pools
		r := Examine(f)
		require.Empty(t, bad(r))
		i := slices.IndexFunc(r.Findings, func(f Finding) bool { return f.Check == "presignatures" })
		return r.Findings[i].Detail
	}
	require.Equal(t, "0 ready for requests that this node leads, 0 parked here in all", line(0))
	require.Equal(t, "0 of 8 ready for requests that this node leads, 3 parked here in all, 1 being made", line(2, mpcnode.PresignatureReport{KeyID: "a", Parked: 3, Building: 1}))
	require.Equal(t, "5 of 8 ready for requests that this node leads, 9 parked here in all, 0 being made",
		line(2, mpcnode.PresignatureReport{KeyID: "a", Parked: 6, Ready: 4}, mpcnode.PresignatureReport{KeyID: "b", Parked: 3, Ready: 1}))
	require.Equal(t, "4 of 4 ready for requests that this node leads, 6 parked here in all", line(1, mpcnode.PresignatureReport{KeyID: "a", Parked: 6, Ready: 4}))
}

// clocks sets those of all others.
func clocks(ahead float64) func(*Facts) {
	return func(f *Facts) {
		for i := 1; i < 4; i++ {
			f.Node.Participants[i].ClockAhead = ahead
		}
	}
}

// Of a node that does not run, the files say what is wrong.
func TestStagedFailuresOfFiles(t *testing.T) {
	for _, c := range []struct {
		name         string
		stage        func(*Facts)
		level        Level
		check        string
		reason       types.Reason
		says, remedy string
	}{
		{"wrong passphrase", func(f *Facts) {
			f.Files.Passphrase.Error, f.Files.Opened = storage.ErrWrongPassphrase, nil
		}, Problem, "passphrase", "", "that of file:config/mpc.pass is wrong", "has now there (after the last change of the passphrase), or name its source in section [mpc] of app.toml"},
		{"older copy of the database", func(f *Facts) {
			f.Files.DatabaseError, f.Files.Opened = fmt.Errorf("open: %w", storage.ErrWrongPassphrase), nil
		}, Problem, "database", "", "that of file:config/mpc.pass opens the identity, and not the database in /home/mpc", "mpc passphrase change --mpc-passphrase prompt --new-mpc-passphrase file:config/mpc.pass"},
		{"older copy of the identity", func(f *Facts) {
			f.Files.Passphrase.Error = storage.ErrWrongPassphrase
		}, Problem, "passphrase", "", "that of file:config/mpc.pass opens the database, and not the identity", "mpc passphrase change --mpc-passphrase prompt --new-mpc-passphrase file:config/mpc.pass"},
		{"older copy of the database, and a credential", func(f *Facts) {
			f.Files.Passphrase.Source, f.Files.DatabaseError, f.Files.Opened = "credential:mpc", storage.ErrWrongPassphrase, nil
		}, Problem, "database", "", "that of credential:mpc opens the identity", "--mpc-passphrase prompt --new-mpc-passphrase prompt"},
		{"wrong passphrase of both", func(f *Facts) {
			f.Files.Passphrase.Error, f.Files.DatabaseError, f.Files.Opened = storage.ErrWrongPassphrase, storage.ErrWrongPassphrase, nil
		}, Warning, "database", "", "not opened", "--mpc-passphrase prompt"},
		{"wrong passphrase and no identity", func(f *Facts) {
			f.Files.IdentityKeys, f.Files.IdentityError = 0, mpcnode.ErrNoIdentity
			f.Files.DatabaseError, f.Files.Opened = storage.ErrWrongPassphrase, nil
		}, Problem, "database", "", "does not open it", "after the last change"},
		{"wrong passphrase and a damaged identity", func(f *Facts) {
			f.Files.IdentityError = storage.ErrIdentityDamaged
			f.Files.DatabaseError, f.Files.Opened = storage.ErrWrongPassphrase, nil
		}, Problem, "database", "", "the passphrase of file:config/mpc.pass does not open it", "after the last change"},
		{"passphrase file gone", func(f *Facts) {
			f.Files.Passphrase, f.Files.Opened = Passphrase{Source: "file:x", Error: errors.New("no such file")}, nil
		}, Problem, "passphrase", "", "no such file", "make it readable"},
		{"passphrase for the node alone", func(f *Facts) {
			f.Files.Passphrase, f.Files.Opened = Passphrase{Source: "credential:mpc"}, nil
		}, Warning, "passphrase", "", "credential:mpc", "--mpc-passphrase prompt"},
		{"no pre-parameters", func(f *Facts) { f.Files.Opened.Preparams = 0 }, Warning, "pre-parameters", types.ErrNoPreparams, "a node that runs makes them", "being made"},
		{"no database", func(f *Facts) { f.Files.HasDatabase, f.Files.Opened = false, nil }, Problem, "database", types.ErrDatabaseLost, "/home/mpc", "backup restore"},
		{"damaged database", func(f *Facts) { f.Files.DatabaseError, f.Files.Opened = storage.ErrEntryDamaged, nil }, Problem, "database", types.ErrDatabaseDamaged, "damaged", "move the folder mpc/db away"},
		{"database in use", func(f *Facts) { f.Files.DatabaseError, f.Files.Opened = storage.ErrInUse, nil }, Problem, "database", "", "another process", "which process"},
		{"database of another user", func(f *Facts) {
			f.Files.HasDatabase, f.Files.DatabaseError, f.Files.Opened = false, fmt.Errorf("look for the MPC database: %w", fs.ErrPermission), nil
		}, Problem, "database", "", "may be whole", "sudo -u"},
		{"identity of another user", func(f *Facts) {
			f.Files.IdentityKeys, f.Files.IdentityError = 0, fmt.Errorf("open identity: %w", fs.ErrPermission)
		}, Problem, "identity", "", "may be whole", "sudo -u"},
		{"database that cannot be looked for", func(f *Facts) {
			f.Files.HasDatabase, f.Files.DatabaseError, f.Files.Opened = false, errors.New("input/output error"), nil
		}, Problem, "database", types.ErrStorage, "input/output error", "disk"},
		{"a copy that was left", func(f *Facts) { f.Files.Leftovers = []string{"/home/mpc/.db.incomplete-7"} }, Warning, "leftovers", "", "/home/mpc/.db.incomplete-7 may be a copy", "remove it"},
		{"no consensus key", func(f *Facts) { f.Files.Signer.HasKey = false }, Warning, "consensus key", "", "/home/config/key.json), and the next start makes another", "rotate-cons-pub-key"},
		{"no state of the consensus key", func(f *Facts) { f.Files.Signer.HasState = false }, Problem, "consensus key", "", "/home/data/state.json is gone", "newest copy"},
		{"no identity", func(f *Facts) { f.Files.IdentityKeys, f.Files.IdentityError = 0, mpcnode.ErrNoIdentity }, Problem, "identity", types.ErrIdentityLost, "no identity file", "--identity-only"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := stopped()
			c.stage(&f)
			found := bad(Examine(f))
			require.GreaterOrEqual(t, len(found), 2, "that it does not run, and why")
			i := slices.IndexFunc(found, func(f Finding) bool { return f.Check == c.check })
			require.GreaterOrEqual(t, i, 0, "%v", found)
			require.Equal(t, c.level, found[i].Level)
			require.Equal(t, c.reason, found[i].Reason)
			require.Contains(t, found[i].Detail, c.says)
			require.Contains(t, found[i].Remedy, c.remedy)
		})
	}
}

// A passphrase does not open an identity that is damaged.
func TestPassphraseOfADamagedIdentity(t *testing.T) {
	says := func(f Facts) string {
		r := Examine(f)
		i := slices.IndexFunc(r.Findings, func(f Finding) bool { return f.Check == "passphrase" })
		if i < 0 {
			return ""
		}
		return r.Findings[i].Detail
	}
	f := stopped()
	f.Files.IdentityError = storage.ErrIdentityDamaged
	require.Contains(t, says(f), "opens the database")
	f.Files.DatabaseError, f.Files.Opened = storage.ErrWrongPassphrase, nil
	require.Empty(t, says(f))
}

// One participant alone cannot say whose clock is wrong.
func TestTwoClocks(t *testing.T) {
	f := healthy()
	f.Key, f.Node.Key = "", nil
	f.Node.Participants = f.Node.Participants[:2]
	f.Node.Participants[1].ClockAhead = 60
	found := bad(Examine(f))
	require.Len(t, found, 1)
	require.Equal(t, Warning, found[0].Level)
	require.Contains(t, found[0].Detail, "one of the two is wrong")
	f.Node.Participants[1].Answered = false
	f.Node.Clock.BlockTime = f.Node.Clock.Now.Add(time.Minute)
	found = bad(Examine(f))
	require.Contains(t, found[0].Detail, "60 s behind the last block's time")
	f.Node.Clock.BlockTime = f.Node.Clock.Now.Add(-time.Minute)
	found = bad(Examine(f))
	require.Contains(t, found[0].Detail, "60 s old")
}

// Of a key that never signed nobody complains: a validator begins so, and so does one whose chain
// began again, with the shares of before. Nor where another node signs for the validator on
// purpose, or where it signs nothing. Where another process signs, or nobody may look, nothing is said.
func TestConsensusKeyThatSaysNothing(t *testing.T) {
	f := stopped()
	f.Files.Signer.Height, f.Files.Opened.Shares = 0, 0
	require.Len(t, bad(Examine(f)), 1, "that it does not run")
	f.Files.Opened.Shares = 2
	require.Len(t, bad(Examine(f)), 1)
	f.Files.Signer = nil
	require.Len(t, bad(Examine(f)), 1)
	f = healthy()
	f.Node.Signer.Own, f.Node.Signer.Elsewhere = false, true
	require.Empty(t, bad(Examine(f)))
	f.Node.Signer.Elsewhere, f.Node.Validator = false, mpcnode.ValidatorUnbonded
	require.Len(t, bad(Examine(f)), 1, "that it is not bonded")
	f.Node.Validator = mpcnode.ValidatorJailed
	found := bad(Examine(f))
	require.Len(t, found, 2, "that it is jailed, and why")
	require.Equal(t, "consensus key", found[1].Check)
	require.Contains(t, found[1].Remedy, "or a remote signer, is to sign blocks")
	f.Node.Signer, f.Node.Validator = nil, mpcnode.ValidatorBonded
	require.Empty(t, bad(Examine(f)))
}
