package mpcnode

import (
	"encoding/hex"
	"slices"
	"time"

	"github.com/sequencer-mpc/sequencer/mpc"
	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	mpcmodule "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// StatusReport is what "sequencerd mpc status" shows. Reports hold no secrets.
type StatusReport struct {
	// Engine is "running", or why it stopped.
	Engine string `json:"engine"`
	// HasIdentity: the node has identity and database, and could take part.
	HasIdentity     bool   `json:"has_identity"`
	Operator        string `json:"operator,omitempty"`
	IdentityVersion uint32 `json:"identity_version,omitempty"`
	// IdentityOutdated is the version that the chain goes by, if this node does not
	// have its key and takes no part in new requests.
	IdentityOutdated uint32 `json:"identity_outdated,omitempty"`
	// RevokedBy is the operator whose identity this node has, if it revoked it.
	RevokedBy  string `json:"revoked_by,omitempty"`
	Height     int64  `json:"height"`
	CatchingUp bool   `json:"catching_up"`
	// ClockAhead is how many seconds this node's clock seems ahead of the chain's, if
	// that is why it takes itself to be behind.
	ClockAhead     float64 `json:"clock_ahead_seconds,omitempty"`
	OpenRequests   int     `json:"open_requests"`
	Sessions       int     `json:"sessions"`
	ResultsWaiting int     `json:"results_waiting"`
	Preparams      int     `json:"preparams"`
	// PreparamsPrimes of PreparamsNeeded safe primes are found of the next set, while one
	// is looked for.
	PreparamsPrimes int `json:"preparams_primes,omitempty"`
	PreparamsNeeded int `json:"preparams_needed,omitempty"`
	// PresignaturesReady are those for requests that this node leads, PresignaturesParked
	// all that wait here.
	PresignaturesReady  int `json:"presignatures_ready"`
	PresignaturesParked int `json:"presignatures_parked"`
	Peers               int `json:"peers"`
	// Reachable are the participants that are peers; all others are reached by
	// relay.
	Reachable   []string `json:"reachable"`
	UnknownKeys []string `json:"unknown_keys,omitempty"`
	// Problem is why a node with an identity takes no part, by its typed reason, and
	// what to do.
	Problem string `json:"problem,omitempty"`
	Remedy  string `json:"remedy,omitempty"`
	// MissingShares are what the chain says this node should have and has not.
	MissingShares []MissingShare `json:"missing_shares,omitempty"`
	// AuditLines and AuditHash are number and hash of the last line of the audit log:
	// who notes them elsewhere can tell later that no line is missing.
	AuditLines uint64 `json:"audit_lines"`
	AuditHash  string `json:"audit_hash,omitempty"`
	// AuditProblem is why the audit log is not written, or not on disk.
	AuditProblem string `json:"audit_problem,omitempty"`
	// Withheld are shares that are kept though the chain has no use for them.
	Withheld []WithheldShare `json:"withheld,omitempty"`
	// Warnings are what was found to be wrong, mostly when the node was started.
	Warnings []Warning `json:"warnings,omitempty"`
	At       time.Time `json:"at"`
}

// Warning is something that does not keep a node from its work, and that its operator
// must know.
type Warning struct {
	// Reason is the typed one.
	Reason string `json:"reason"`
	Detail string `json:"detail"`
	Remedy string `json:"remedy"`
}

// WithheldShare is one that does not go the way of other shares that the chain has no use
// for, since it may be the only one of something.
type WithheldShare struct {
	KeyID   string `json:"key_id"`
	Epoch   uint64 `json:"epoch"`
	Session string `json:"session"`
	// Why is one of package mpc's, with what to do in Remedy.
	Why    string `json:"why"`
	Remedy string `json:"remedy"`
}

// KeyReport is one session's record of a key on this node.
type KeyReport struct {
	KeyID     string `json:"key_id"`
	Epoch     uint64 `json:"epoch"`
	Session   string `json:"session"`
	Status    string `json:"status"`
	Reason    string `json:"reason,omitempty"`
	Algorithm string `json:"algorithm"`
	Threshold int    `json:"threshold"`
	Members   int    `json:"members"`
	HasShare  bool   `json:"has_share"`
	PublicKey string `json:"public_key,omitempty"`
	// Address is the key's on Ethereum.
	Address string `json:"address,omitempty"`
	// Unknown: the chain does not know the key. Only a running node can tell.
	Unknown bool `json:"unknown_to_chain,omitempty"`
	// Withheld is why the share is kept though the chain has no use for it, as one of an
	// epoch that it has not reached. Only a running node can tell.
	Withheld string    `json:"withheld,omitempty"`
	Updated  time.Time `json:"updated"`
}

// KeysReport is what "sequencerd mpc keys" shows.
type KeysReport struct {
	Keys []KeyReport `json:"keys"`
	// Tombstones are keys whose shares were destroyed here.
	Tombstones []string `json:"tombstones"`
	// Missing are keys of which this node should have a share, says the chain, and
	// has none that fits. Only a running node can tell.
	Missing []MissingShare `json:"missing,omitempty"`
}

// SessionReport is where a session stands.
type SessionReport struct {
	Session  string    `json:"session"`
	Context  string    `json:"context,omitempty"`
	Kind     string    `json:"kind"`
	Request  string    `json:"request"`
	KeyID    string    `json:"key_id"`
	Attempt  uint32    `json:"attempt"`
	Phase    string    `json:"phase"`
	Round    uint32    `json:"round"`
	Rounds   int       `json:"rounds"`
	Leader   string    `json:"leader"`
	Signers  []string  `json:"signers,omitempty"`
	Awaiting []string  `json:"awaiting,omitempty"`
	Busy     bool      `json:"busy"`
	Resent   int       `json:"resent"`
	Opened   time.Time `json:"opened"`
}

// SessionsReport is what "sequencerd mpc sessions" shows.
type SessionsReport struct {
	Sessions []SessionReport `json:"sessions"`
}

// EngineRunning is StatusReport.Engine of an engine that works.
const EngineRunning = "running"

func reportStatus(s mpc.Status, state *engineState, missing []MissingShare) StatusReport {
	r := StatusReport{
		Engine: EngineRunning, HasIdentity: state.identity, Operator: string(s.Operator), IdentityVersion: s.IdentityVersion,
		IdentityOutdated: s.IdentityOutdated, Height: s.Height, CatchingUp: s.CatchingUp, ClockAhead: s.ClockAhead.Seconds(),
		OpenRequests: s.OpenRequests, Sessions: len(s.Sessions), ResultsWaiting: s.Results,
		Preparams: s.Preparams, UnknownKeys: texts(s.Unknown), At: s.At,
	}
	presignatures := countPresignatures(s.Presignatures)
	r.PresignaturesReady, r.PresignaturesParked = presignatures["ready"], presignatures["parked"]
	search := state.refill.progress()
	r.PreparamsPrimes, r.PreparamsNeeded = search.Found, search.Needed
	r.MissingShares = missing
	if state.audit != nil {
		r.AuditLines, r.AuditHash = state.audit.Last()
	}
	r.AuditProblem, r.Warnings = state.auditProblem(), state.warned()
	for _, w := range s.Withheld {
		r.Withheld = append(r.Withheld, WithheldShare{
			KeyID: string(w.KeyID), Epoch: w.Epoch, Session: w.Session.String(), Why: string(w.Why), Remedy: w.Why.Remedy(),
		})
	}
	if failed := state.failed(); failed != "" {
		r.Engine = "stopped: " + failed
	}
	if reason := types.ReasonOf(state.problem()); reason != "" {
		r.Problem, r.Remedy = string(reason), reason.Remedy()
	}
	return r
}

// reportRunning describes the records of a running node.
func reportRunning(s mpc.Status, missing []MissingShare) KeysReport {
	r := ReportKeys(s.Records, s.Tombstones)
	withheld := make(map[types.RecordKey]mpc.Withholding, len(s.Withheld))
	for _, w := range s.Withheld {
		withheld[w.RecordKey] = w.Why
	}
	for i, rec := range s.Records { // one of r.Keys each, in this order
		r.Keys[i].Unknown = slices.Contains(s.Unknown, rec.KeyID)
		r.Keys[i].Withheld = string(withheld[rec.RecordKey])
	}
	r.Missing = missing
	return r
}

// ReportKeys describes the records of a store.
func ReportKeys(records []types.Record, tombstones []types.KeyID) KeysReport {
	r := KeysReport{Keys: make([]KeyReport, 0, len(records)), Tombstones: texts(tombstones)}
	for _, rec := range records {
		r.Keys = append(r.Keys, reportKey(rec))
	}
	return r
}

func reportKey(rec types.Record) KeyReport {
	k := KeyReport{
		KeyID: string(rec.KeyID), Epoch: rec.Epoch, Session: rec.Session.String(), Status: rec.Status.String(),
		Reason: string(rec.Reason), Algorithm: rec.Algorithm.String(), Threshold: rec.Threshold,
		Members: len(rec.Participants), HasShare: rec.HasData, Updated: rec.Updated,
	}
	if len(rec.PublicKey) > 0 {
		k.PublicKey = hex.EncodeToString(rec.PublicKey)
		// What is no point has no address; the public key shows it.
		k.Address, _ = mpcmodule.EthereumAddress(rec.PublicKey)
	}
	return k
}

func reportSessions(all []session.Snapshot) SessionsReport {
	r := SessionsReport{Sessions: make([]SessionReport, 0, len(all))}
	for _, s := range all {
		one := SessionReport{
			Session: s.ID.String(), Kind: s.Request.Kind.String(), Request: s.Request.ID, KeyID: string(s.KeyID),
			Attempt: s.Attempt, Phase: s.Phase.String(), Round: s.Round, Rounds: s.Rounds, Leader: string(s.Leader),
			Signers: texts(s.Signers), Awaiting: texts(s.Awaiting), Busy: s.Busy, Resent: s.Resent, Opened: s.Opened,
		}
		if !s.Context.IsZero() {
			one.Context = s.Context.String()
		}
		r.Sessions = append(r.Sessions, one)
	}
	return r
}

// texts is a list of names as plain strings, never nil, so that JSON shows [].
func texts[S ~string](names []S) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = string(n)
	}
	return out
}
