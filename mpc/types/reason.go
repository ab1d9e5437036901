package types

import (
	"errors"
	"fmt"
	"regexp"
)

// Reason is why something was refused or ended. The same word stands in the
// transaction error, the event, the log, the metric label and on the command
// line.
type Reason string

// MaxReasonBytes bounds the reason in an accusation: twice the longest that there is.
const MaxReasonBytes = 64

// Validate checks the form of a reason that somebody else gave: a word of small letters,
// digits and underscores that begins with a letter. Whether this version knows it does
// not matter: nodes of several versions must agree on what they take, and whoever reads
// it sees it as it is, without a remedy.
func (r Reason) Validate() error {
	if len(r) > MaxReasonBytes {
		return fmt.Errorf("a reason has %d bytes, at most %d are allowed", len(r), MaxReasonBytes)
	}
	if !reasonForm.MatchString(string(r)) {
		return fmt.Errorf("%.64q is no reason: use a word of small letters, digits and underscores", string(r))
	}
	return nil
}

var reasonForm = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// Error makes a Reason an error that callers can branch on.
func (r Reason) Error() string { return string(r) }

// Reasons of requests that are refused or fail on chain.
const (
	// ErrBadID: an id has another form than ids have, or a prefix that the module keeps for itself.
	ErrBadID Reason = "bad_id"
	// ErrIDTaken: the id belongs to another request, which is decided.
	ErrIDTaken Reason = "id_taken"
	// ErrRequestPending: the id belongs to another request, which is open.
	ErrRequestPending Reason = "request_pending"
	// ErrBadThreshold: the threshold is below 1, or not below the number of participants.
	ErrBadThreshold Reason = "bad_threshold"
	// ErrTooFewParticipants: fewer than t+1 validators can take part in a keygen or reshare.
	ErrTooFewParticipants Reason = "too_few_participants"
	// ErrTooFewSigners: fewer than t+1 participants of the key have an identity and, as far as is known, a share.
	ErrTooFewSigners Reason = "too_few_signers"
	// ErrTooManyParticipants: more than max_participants, or 64 in the new committee of a reshare and those who must deal to it.
	ErrTooManyParticipants Reason = "too_many_participants"
	// ErrDuplicateParticipant: an operator is named twice.
	ErrDuplicateParticipant Reason = "duplicate_participant"
	// ErrUnknownParticipant: no operator of this chain, no validator, or no member of the request.
	ErrUnknownParticipant Reason = "unknown_participant"
	// ErrUnregistered: the validator has no identity, or revoked it.
	ErrUnregistered Reason = "unregistered_participant"
	// ErrBadDigest: a digest has not 32 bytes, is zero, or is not below the group order.
	ErrBadDigest Reason = "bad_digest"
	// ErrBadPayload: there is no payload, its kind cannot decode it, or it needs another key.
	ErrBadPayload Reason = "bad_payload"
	// ErrUnsupportedAlgorithm: keys of this algorithm are not made.
	ErrUnsupportedAlgorithm Reason = "unsupported_algorithm"
	// ErrUnknownKey: no key has the id.
	ErrUnknownKey Reason = "unknown_key"
	// ErrUnknownSignature: no signature has the id.
	ErrUnknownSignature Reason = "unknown_signature"
	// ErrKeyNotReady: the key is being made.
	ErrKeyNotReady Reason = "key_not_ready"
	// ErrKeyFailed: the key was not made, and never will be.
	ErrKeyFailed Reason = "key_failed"
	// ErrKeyDeleted: the key is deleted, or going to be.
	ErrKeyDeleted Reason = "key_deleted"
	// ErrKeyNotDeleting: there is no deletion to take back.
	ErrKeyNotDeleting Reason = "key_not_deleting"
	// ErrNotOwner: the key belongs to another account or module.
	ErrNotOwner Reason = "not_owner"
	// ErrNotRequester: the account may not ask for keys.
	ErrNotRequester Reason = "not_requester"
	// ErrUnauthorized: only the authority may do this.
	ErrUnauthorized Reason = "unauthorized"
	// ErrBadAddress: no address of this chain, or of the wrong kind.
	ErrBadAddress Reason = "bad_address"
	// ErrTooManyPending: as many requests are open as may be, of all or of this requester.
	ErrTooManyPending Reason = "too_many_pending"
	// ErrBadProof: the proof of possession is not over this chain and operator, or the key is none to trust.
	ErrBadProof Reason = "bad_proof_of_possession"
	// ErrBadParams: a parameter is out of its bounds.
	ErrBadParams Reason = "bad_params"
	// ErrExpired: nobody brought the result before the lifetime of the request ended.
	ErrExpired Reason = "expired"
	// ErrIdentityRevoked: a member revoked the identity that the request pinned.
	ErrIdentityRevoked Reason = "identity_revoked"
	// ErrBadBundle: a bundle of results is not in order, or not where one may be.
	ErrBadBundle Reason = "bad_bundle"
	// ErrIdentityKeyInUse: the identity key is or was somebody's.
	ErrIdentityKeyInUse Reason = "identity_key_in_use"
	// ErrDuplicateRegistration: the identity key is the operator's current one.
	ErrDuplicateRegistration Reason = "duplicate_registration"
	// ErrTooManyIdentities: the operator registered as many versions as one ever may.
	ErrTooManyIdentities Reason = "too_many_identities"
	// ErrNotBonded: the validator is not bonded, or jailed.
	ErrNotBonded Reason = "participant_not_bonded"
	// ErrBadResult: a result does not prove itself.
	ErrBadResult Reason = "bad_result"
	// ErrBadGenesis: an entry of the genesis file does not fit.
	ErrBadGenesis Reason = "bad_genesis"
	// ErrUnknownReshare: no reshare has the id.
	ErrUnknownReshare Reason = "unknown_reshare"
	// ErrResharePending: the key has an open reshare, whose test is signed for nobody else.
	ErrResharePending Reason = "reshare_pending"
	// ErrCancelled: the owner or the authority gave the reshare up, or the chain was imported under another id while it was tested.
	ErrCancelled Reason = "cancelled"
	// ErrPruned: the request is over for so long that it is not kept.
	ErrPruned Reason = "pruned"
	// ErrFeeNotPaid: the account has less than the fee of its request.
	ErrFeeNotPaid Reason = "fee_not_paid"
	// ErrUnknownKind: there is no such kind of payload, on the chain or in this program.
	ErrUnknownKind Reason = "unknown_payload_kind"
	// ErrNotCanonical: the payload could be written in other bytes, which are the right ones.
	ErrNotCanonical Reason = "payload_not_canonical"
	// ErrPayloadTooLarge: the payload has more bytes than a payload may.
	ErrPayloadTooLarge Reason = "payload_too_large"
	// ErrRawNotAllowed: a bare digest, of a key that was made without allow_raw.
	ErrRawNotAllowed Reason = "raw_not_allowed"
	// ErrPlaceTaken: the key signed something else for the same nonce, or the same with more gas.
	ErrPlaceTaken Reason = "place_taken"
	// ErrWrongChain: the policy of the key names other chains.
	ErrWrongChain Reason = "wrong_chain_id"
	// ErrPolicy: the policy of the key, or of its module, does not allow it.
	ErrPolicy Reason = "policy_refused"
)

// Reasons of attempts that end on a node. The request itself goes on.
const (
	// ErrCatchingUp: the node does not know the newest block, or its clock is ahead.
	ErrCatchingUp Reason = "catching_up"
	// ErrUnknownRequest: the node does not see the request in its committed state.
	ErrUnknownRequest Reason = "unknown_request"
	// ErrWrongAttempt: the two nodes are at different heights, or the attempt was opened before.
	ErrWrongAttempt Reason = "wrong_attempt"
	// ErrWrongInitiator: the attempt is another member's to open.
	ErrWrongInitiator Reason = "wrong_initiator"
	// ErrInProgress: another session of the request makes progress here.
	ErrInProgress Reason = "in_progress"
	// ErrAlreadyDecided: the chain, or this node, has the result.
	ErrAlreadyDecided Reason = "already_decided"
	// ErrNoPreparams: the pre-parameters of a keygen are not made yet.
	ErrNoPreparams Reason = "no_preparams"
	// ErrShareMissing: the node has no share of the key.
	ErrShareMissing Reason = "share_missing"
	// ErrDigestBound: the signature id was bound to another digest or key here, for ever.
	ErrDigestBound Reason = "digest_bound"
	// ErrDigestDiffers: the committed digest is not that of the committed payload, as this node decodes it.
	ErrDigestDiffers Reason = "digest_differs"
	// ErrBusy: the node is at its limit of sessions or messages in memory.
	ErrBusy Reason = "busy"
	// ErrStartTimeout: the initiator did not start, or the members did not answer, in time.
	ErrStartTimeout Reason = "start_timeout"
	// ErrStalled: a member was silent for too long.
	ErrStalled Reason = "stalled"
	// ErrProtocolFault: a member sent what the protocol forbids, or a proof that does not hold.
	ErrProtocolFault Reason = "protocol_fault"
	// ErrBroadcastDiffer: a member told different things to different members.
	ErrBroadcastDiffer Reason = "broadcast_differs"
	// ErrIdentityShared: another process signs with this node's identity.
	ErrIdentityShared Reason = "identity_shared"
	// ErrAborted: another member gave up.
	ErrAborted Reason = "aborted"
	// ErrPresignLost: a presignature came to nothing while it was used.
	ErrPresignLost Reason = "presign_lost"
	// ErrPresignDropped: what a presignature depends on changed, or nobody needed it.
	ErrPresignDropped Reason = "presign_dropped"
	// ErrReleased: other members were chosen to sign.
	ErrReleased Reason = "released"
	// ErrStorage: the database, or another file of the node, could not be read or written.
	ErrStorage Reason = "storage_failed"
	// ErrWriteRefused: a record would have replaced what must stay.
	ErrWriteRefused Reason = "write_refused"
	// ErrInterrupted: the node stopped in the middle.
	ErrInterrupted Reason = "interrupted"
	// ErrPanic: the node's own program panicked, which was caught.
	ErrPanic Reason = "panic"
	// ErrOwnFailure: a step of the node's own failed, and nobody else is to blame.
	ErrOwnFailure Reason = "own_failure"
	// ErrLostToSession: the chain took another session of the same request.
	ErrLostToSession Reason = "other_session_won"
	// ErrSuperseded: an earlier request needed the memory, or a later attempt began.
	ErrSuperseded Reason = "superseded"
	// ErrIdentityOld: the node lacks the identity key that the request pinned, or that the chain goes by.
	ErrIdentityOld Reason = "identity_outdated"
)

// Reasons that operators meet on a node of theirs.
const (
	// ErrFolderLost: the chain has the validator as a participant, and the node has neither identity nor database.
	ErrFolderLost Reason = "folder_missing"
	// ErrDatabaseLost: there is an identity and no database.
	ErrDatabaseLost Reason = "database_missing"
	// ErrDatabaseDamaged: the database is not what was written.
	ErrDatabaseDamaged Reason = "database_damaged"
	// ErrDatabaseOld: an older copy of the database was put back.
	ErrDatabaseOld Reason = "database_old"
	// ErrIdentityLost: the identity is gone beside a database, or damaged.
	ErrIdentityLost Reason = "identity_unusable"
	// ErrBackup: a backup is damaged, incomplete, or for another key.
	ErrBackup Reason = "backup_unusable"
	// ErrRestore: a backup would have put an older epoch beside a newer one, or replaced a record.
	ErrRestore Reason = "restore_refused"
	// ErrAudit: a line of the audit log is not the one that was written.
	ErrAudit Reason = "audit_log_broken"
)

// remedies says what to do about a reason.
var remedies = map[Reason]string{
	ErrBadID:                 "use 1 to 64 letters, digits and . _ - beginning with a letter or digit; a colon has its place in ids of modules only, behind the name of the module that asks",
	ErrIDTaken:               "ids are unique for ever; ask again with a new one",
	ErrRequestPending:        "the same id is being worked on with other content; wait, or use a new id",
	ErrBadThreshold:          "choose a threshold t with 1 <= t < participants; t+1 participants sign",
	ErrTooFewParticipants:    "register more validators (sequencerd mpc register) or choose a lower threshold",
	ErrTooFewSigners:         "participants of the key revoked their identity, or lost their share; those can make a new identity (sequencerd mpc identity rotate, start the node again, sequencerd mpc register) and sign with the share that they hold, these put it back from a backup (sequencerd mpc backup restore), and the key's owner may ask then, whatever was said of the share",
	ErrTooManyParticipants:   "name at most max_participants operators",
	ErrDuplicateParticipant:  "name each operator once",
	ErrUnknownParticipant:    "name validator operator addresses of this chain",
	ErrUnregistered:          "that validator must register first: sequencerd mpc register",
	ErrBadDigest:             "give 32 bytes that are neither zero nor at or above the group order",
	ErrBadPayload:            "give one payload, of a form that its kind can decode; the detail says what is wrong with it",
	ErrUnsupportedAlgorithm:  "use ecdsa-secp256-k1 (ALGORITHM_ECDSA_SECP256K1)",
	ErrUnknownKey:            "check the id: sequencerd query mpc keys",
	ErrUnknownSignature:      "check the id: sequencerd query mpc signatures KEY",
	ErrKeyNotReady:           "the key is being made; wait until it is READY: sequencerd query mpc key ID",
	ErrKeyFailed:             "the key was not made and never will be; make one with a new id",
	ErrKeyDeleted:            "a deleted key signs nothing; use another key, or while it is DELETING take the deletion back: sequencerd tx mpc undelete KEY; a node that destroyed its share before the chain was rolled back over that takes no part, see the README on putting the chain back",
	ErrKeyNotDeleting:        "there is no deletion to take back; see the key's status: sequencerd query mpc key ID",
	ErrNotOwner:              "ask from the account that owns the key: sequencerd query mpc key ID; a module's key, or one whose owner is gone, is refreshed by a proposal: sequencerd tx mpc refresh-proposal; reshare-proposal, cancel-reshare-proposal, delete-proposal and undelete-proposal are there as well; only its owner has it sign",
	ErrNotRequester:          "ask the authority to add the account to the parameter requesters",
	ErrUnauthorized:          "only the authority may do this; propose it there: sequencerd tx mpc update-params-proposal",
	ErrBadAddress:            "check the address for a typing error; it must be of this chain and of the right kind, account or validator operator",
	ErrTooManyPending:        "wait until open requests are decided",
	ErrBadProof:              "make the proof on this chain for this operator: sequencerd mpc register",
	ErrBadParams:             "correct the named parameter",
	ErrExpired:               "too few participants answered in time; look at sequencerd mpc status and sequencerd mpc sessions on their nodes, then ask with a new id",
	ErrIdentityRevoked:       "a participant revoked its identity; ask with a new id",
	ErrBadBundle:             "only proposers make bundles, so a transaction must not look like one; if a proposal was refused for it, update the proposer's node",
	ErrIdentityKeyInUse:      "that identity key is or was registered, and a revoked one stays so; make a new one: sequencerd mpc identity rotate, start the node again, then sequencerd mpc register",
	ErrDuplicateRegistration: "this identity key is the current one already; nothing to do",
	ErrTooManyIdentities:     "this validator registered as many identities as one ever may; it keeps the last one, or another validator takes its place",
	ErrNotBonded:             "wait until that validator is bonded and not jailed, or leave it out",
	ErrBadResult:             "the result does not prove itself and is dropped; look at the node that made it",
	ErrBadGenesis:            "correct the named entry of the genesis file",
	ErrUnknownReshare:        "check the id: sequencerd query mpc reshares",
	ErrResharePending:        "a key is reshared once at a time; wait until the open reshare is decided, or cancel it: sequencerd tx mpc cancel-reshare ID",
	ErrPruned:                "it was decided more than retention_blocks ago and its answer is not kept; find it in the events of its block, or ask with a new id if doing it twice is harmless",
	ErrFeeNotPaid:            "the account that asks needs keygen_fee, sign_fee or reshare_fee beside the fee of the transaction: sequencerd query mpc params",
	ErrCancelled:             "it was given up before it was decided; ask with a new id",
	ErrCatchingUp:            "wait until the node has caught up with the chain; if it has, its clock is ahead of the chain's (sequencerd mpc status says so): set it right",
	ErrUnknownRequest:        "there is no such request in the committed state; check the id, or wait for the next block if it was just asked",
	ErrWrongAttempt:          "the heights of the two nodes differ; the next attempt follows by itself",
	ErrWrongInitiator:        "another participant leads this attempt; nothing to do",
	ErrInProgress:            "another session of the same request makes progress; nothing to do",
	ErrAlreadyDecided:        "the chain has decided this, or knows it already; nothing to do",
	ErrNoPreparams:           "pre-parameters are being made; the next attempt follows by itself",
	ErrShareMissing:          "this node has no share of the key; any t+1 other participants sign without it, and the next reshare gives it one, a refresh if it is to be with the same participants: sequencerd tx mpc refresh by its owner, and of a module's key by a proposal: sequencerd tx mpc refresh-proposal",
	ErrDigestDiffers:         "the committed digest is not that of the committed payload, as this node decodes it; compare the versions of the nodes, and report it",
	ErrUnknownKind:           "use one of payload_kinds: sequencerd query mpc params; on a node whose chain has the kind, install the version of the program that the others run",
	ErrNotCanonical:          "write the payload in the one encoding that its kind has for it, which the detail names",
	ErrPayloadTooLarge:       "ask with a payload of at most max_payload_bytes: sequencerd query mpc params",
	ErrRawNotAllowed:         "ask with a payload that says what is signed, or with a key that was made with allow_raw",
	ErrPlaceTaken:            "this key signed something else for the same nonce, and both could not take effect; ask with the next nonce, or for the same with other fees and no less gas than before",
	ErrWrongChain:            "the policy of the key names the chains that it signs for: sequencerd query mpc params; set the chain id of the payload, or use another key",
	ErrPolicy:                "the policy of the key, or of the module that it belongs to, does not allow this: sequencerd query mpc params shows policies",
	ErrDigestBound:           "this request id was bound to another digest or key here; ask with a new id",
	ErrBusy:                  "the node is at its limit of sessions in memory; the next attempt follows by itself",
	ErrStartTimeout:          "look at the named participants: are they up and connected? The next attempt follows by itself",
	ErrStalled:               "look at the named participants: are they up and connected?",
	ErrProtocolFault:         "the named participant sent what the protocol forbids; it is left out of the next attempt",
	ErrBroadcastDiffer:       "a participant told different things to different members; the next attempt follows by itself",
	ErrIdentityShared:        "another process signs with this node's identity; stop it, and rotate the identity: sequencerd mpc identity rotate",
	ErrAborted:               "another member gave the session up; the next attempt follows by itself",
	ErrPresignDropped:        "the key, its committee or an identity changed, or nobody needed it for an hour; another one is made",
	ErrPresignLost:           "a presignature came to nothing while it was being used; the request is signed without one",
	ErrReleased:              "enough others were chosen; nothing to do",
	ErrStorage:               "look at the disk and the log of this node",
	ErrWriteRefused:          "this is a mistake of the program, nothing was changed on disk; report it with the log",
	ErrPanic:                 "this node's program is at fault, whoever spoke; what it was for ended, the node goes on; report it with the log, which has the stack",
	ErrOwnFailure:            "a step of this node's own failed, and nobody else is to blame; the next attempt follows by itself; if it goes on, report it with the log",
	ErrInterrupted:           "the node stopped in the middle of the session; the next attempt follows by itself",
	ErrLostToSession:         "another session of the same request won; nothing to do",
	ErrSuperseded:            "another session took its place, of an earlier request that needed the memory or of a later attempt at the same one; the request goes on by itself",
	ErrFolderLost:            "this node follows the chain, takes part in no keys and signatures, and cannot say on chain that its shares are missing, because its identity is gone too; if this validator's MPC runs on another node, or this one is a spare, set enabled = false in section [mpc] of app.toml; else stop it and bring the folder mpc back if it is somewhere else or not mounted, else restore the newest backup: sequencerd mpc backup restore; if there is none, make a new identity: sequencerd mpc identity create, start the node again, then sequencerd mpc register, and have the owners of the keys refresh them: sequencerd tx mpc refresh, and those of modules be refreshed by a proposal: sequencerd tx mpc refresh-proposal",
	ErrDatabaseLost:          "this node follows the chain, takes part in no keys and signatures, and after share-missing-after (app.toml) says on chain that its shares are missing; stop it and restore the newest backup: sequencerd mpc backup restore; if there is none, and the folder mpc/db is in no other place either, make an empty database: sequencerd mpc database create --shares-are-lost, start the node again, and have the owners of the keys refresh them: sequencerd tx mpc refresh, and those of modules be refreshed by a proposal: sequencerd tx mpc refresh-proposal",
	ErrDatabaseOld:           "an older copy of the MPC database was put back, or the node followed the chain without it, and then there is nothing to do: an older copy does not know which digest each request since was bound to; the node goes on, and its pre-parameters were destroyed, since some may have been used; stop it and restore the newest backup over the database: sequencerd mpc backup restore, then start it and look at sequencerd mpc keys",
	ErrDatabaseDamaged:       "this node follows the chain, takes part in no keys and signatures, and after share-missing-after (app.toml) says on chain that its shares are missing; stop it, move the folder mpc/db away and keep it, then restore the newest backup: sequencerd mpc backup restore; if there is none, make an empty database: sequencerd mpc database create --shares-are-lost, start the node again, and have the owners of the keys refresh them: sequencerd tx mpc refresh, and those of modules be refreshed by a proposal: sequencerd tx mpc refresh-proposal",
	ErrIdentityLost:          "this node follows the chain and takes part in no keys and signatures; stop it, move the file mpc/identity.json away if it is there, then put it back from the newest backup: sequencerd mpc backup restore --identity-only; if there is none, make a new identity beside the database, which keeps its shares: sequencerd mpc identity create, start the node again, then sequencerd mpc register",
	ErrBackup:                "check the path and the key of the backup, or use another copy: sequencerd mpc backup verify",
	ErrRestore:               "what the node has is newer than the backup, or something else; nothing was changed: sequencerd mpc backup list, sequencerd mpc keys",
	ErrAudit:                 "the file was changed or damaged after it was written; compare with a copy: sequencerd mpc audit verify",
	ErrIdentityOld:           "the chain goes by an identity of this validator whose private key its node does not have; start the node again if the identity was rotated while it ran, or bring back the file mpc/identity.json that has the key, or register another one: sequencerd mpc identity rotate, start the node again, then sequencerd mpc register",
}

// Remedy says what to do; empty for an unknown reason.
func (r Reason) Remedy() string { return ForProgram(remedies[r]) }

// ReasonOf finds the reason in an error's chain; empty if it has none.
func ReasonOf(err error) Reason {
	var r Reason
	if errors.As(err, &r) {
		return r
	}
	return ""
}
