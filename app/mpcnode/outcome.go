package mpcnode

import (
	"context"
	"fmt"
	"strings"

	"github.com/cosmos/cosmos-sdk/types/query"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	mpcmodule "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// OutcomeReport is what the chain knows of a request, or of a key, which is the request
// for it and what became of that.
type OutcomeReport struct {
	// Kind is keygen, sign or reshare.
	Kind  string `json:"kind"`
	ID    string `json:"id"`
	KeyID string `json:"key_id"`
	// Status is the chain's: PENDING, TESTING, READY, ERROR, DELETING or DELETED; or
	// StatusPruned, and then nothing else is known but the id.
	Status string `json:"status"`
	// Reason of status ERROR, with what to do.
	Reason string `json:"reason,omitempty"`
	Remedy string `json:"remedy,omitempty"`
	Owner  string `json:"owner"`
	Epoch  uint64 `json:"epoch"`
	// Threshold and Participants of the committee that it is for: t+1 of them sign. Empty
	// of a signature: those of its key.
	Threshold    uint32   `json:"threshold,omitempty"`
	Participants []string `json:"participants,omitempty"`
	// RequestedHeight and DecidedHeight are blocks; 0: not decided.
	RequestedHeight int64 `json:"requested_height"`
	DecidedHeight   int64 `json:"decided_height,omitempty"`
	// ExpiryHeight of what is open.
	ExpiryHeight int64 `json:"expiry_height,omitempty"`
	// Attested are those who attested a share of what is open.
	Attested []string `json:"attested,omitempty"`
	// MissingShares are participants that said that they have no share.
	MissingShares []string `json:"missing_shares,omitempty"`
	// DeletionAcks destroyed what they had of the key.
	DeletionAcks []string `json:"deletion_acks,omitempty"`
	// RetireHeight is when a key that is DELETING becomes DELETED.
	RetireHeight int64 `json:"retire_height,omitempty"`
	// Reshare is the open one of a key.
	Reshare string `json:"reshare,omitempty"`
	// Refusals are what members will not sign, and why; of a signature.
	Refusals []RefusalReport `json:"refusals,omitempty"`
	// Faults are what is held against participants because of it.
	Faults []FaultReport `json:"faults,omitempty"`
}

// open: it is not decided. A reshare is TESTING while its new shares sign for the first time.
func (o *OutcomeReport) open() bool { return o.Status == "PENDING" || o.Status == "TESTING" }

// RefusalReport is of a member that refuses to sign.
type RefusalReport struct {
	Operator string `json:"operator"`
	Reason   string `json:"reason"`
	Remedy   string `json:"remedy"`
}

// FaultReport is one that the chain holds against a participant.
type FaultReport struct {
	Participant string `json:"participant"`
	// Accuser is empty for proof.
	Accuser string `json:"accuser,omitempty"`
	Reason  string `json:"reason"`
	Attempt uint32 `json:"attempt"`
	Height  int64  `json:"height"`
}

// chainQueries asks the chain for what people want to know of it.
type chainQueries struct{ mpcmodule.QueryClient }

// outcomes are all requests with an id: a key, a signature and a reshare may have the
// same one. None: the chain knows no such request.
func (q chainQueries) outcomes(ctx context.Context, id string) ([]OutcomeReport, error) {
	var all []OutcomeReport
	for _, of := range []func(context.Context, string) (*OutcomeReport, error){q.key, q.signature, q.reshare} {
		o, err := of(ctx, id)
		if err != nil {
			return nil, err
		}
		if o != nil {
			all = append(all, *o)
		}
	}
	for i := range all {
		if err := q.complete(ctx, &all[i]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// StatusPruned is that of what is over for so long that the chain does not keep it.
const StatusPruned = "PRUNED"

// absent is what the chain knows of what it does not have: that it was pruned, or nothing.
func absent(kind types.RequestKind, id string, err error, unknown types.Reason) (*OutcomeReport, error) {
	if says(err, types.ErrPruned) {
		return &OutcomeReport{Kind: kind.String(), ID: id, Status: StatusPruned, Reason: string(types.ErrPruned)}, nil
	}
	return nil, unless(err, unknown)
}

// unless is nil if the chain does not know what was asked for.
func unless(err error, unknown types.Reason) error {
	if says(err, unknown) {
		return nil
	}
	return fmt.Errorf("ask the chain: %w", err)
}

// says tells what the chain answers by the whole text of a registered error: the SDK hands
// its code to nobody who queries, and an id may be a word such as "pruned".
func says(err error, reason types.Reason) bool {
	return strings.Contains(err.Error(), string(reason)+": "+reason.Remedy())
}

// key is nil if there is none.
func (q chainQueries) key(ctx context.Context, id string) (*OutcomeReport, error) {
	answer, err := q.Key(ctx, &mpcmodule.QueryKeyRequest{KeyId: id})
	if err != nil {
		return absent(types.KindKeygen, id, err, types.ErrUnknownKey)
	}
	k := answer.Key
	return &OutcomeReport{
		Kind: types.KindKeygen.String(), ID: k.Id, KeyID: k.Id, Status: short(k.Status.String(), "KEY_STATUS_"), Reason: k.Reason,
		Owner: k.Owner, Epoch: k.Epoch, Threshold: k.Threshold, Participants: k.Participants, RequestedHeight: k.RequestedHeight,
		DecidedHeight: k.DecidedHeight, Attested: answer.Attested, MissingShares: k.MissingShares, DeletionAcks: k.DeletionAcks,
		RetireHeight: deletingAt(k), Reshare: k.ReshareId,
	}, nil
}

func deletingAt(k mpcmodule.Key) int64 {
	if k.Status != mpcmodule.KEY_STATUS_DELETING {
		return 0
	}
	return k.RetireHeight
}

func (q chainQueries) signature(ctx context.Context, id string) (*OutcomeReport, error) {
	answer, err := q.Signature(ctx, &mpcmodule.QuerySignatureRequest{SignatureId: id})
	if err != nil {
		return absent(types.KindSign, id, err, types.ErrUnknownSignature)
	}
	s := answer.Signature
	var refusals []RefusalReport
	for _, r := range s.Refusals {
		refusals = append(refusals, RefusalReport{r.Operator, r.Reason, types.Reason(r.Reason).Remedy()})
	}
	return &OutcomeReport{
		Kind: types.KindSign.String(), ID: s.Id, KeyID: s.KeyId, Status: short(s.Status.String(), "SIGNATURE_STATUS_"), Reason: s.Reason,
		Owner: s.Owner, Epoch: s.Epoch, RequestedHeight: s.RequestedHeight, DecidedHeight: s.DecidedHeight, Refusals: refusals,
	}, nil
}

func (q chainQueries) reshare(ctx context.Context, id string) (*OutcomeReport, error) {
	answer, err := q.Reshare(ctx, &mpcmodule.QueryReshareRequest{ReshareId: id})
	if err != nil {
		return absent(types.KindReshare, id, err, types.ErrUnknownReshare)
	}
	r := answer.Reshare
	return &OutcomeReport{
		Kind: types.KindReshare.String(), ID: r.Id, KeyID: r.KeyId, Status: short(r.Status.String(), "RESHARE_STATUS_"), Reason: r.Reason,
		Owner: r.Owner, Epoch: r.Epoch, Threshold: r.Threshold, Participants: r.Participants, RequestedHeight: r.RequestedHeight,
		DecidedHeight: r.DecidedHeight, Attested: answer.Attested,
	}, nil
}

func short(name, prefix string) string { return strings.TrimPrefix(name, prefix) }

// complete adds what is in other places: the expiry of what is open, faults, the remedy.
func (q chainQueries) complete(ctx context.Context, o *OutcomeReport) error {
	o.Remedy = types.Reason(o.Reason).Remedy()
	if o.Status == types.KeyDeleting.String() || o.Status == types.KeyDeleted.String() {
		o.Remedy = types.ErrKeyDeleted.Remedy()
	}
	same := func(kind mpcmodule.RequestKind, id string) bool {
		return id == o.ID && types.RequestKind(kind).String() == o.Kind
	}
	err := pages(func(page *query.PageRequest) (*query.PageResponse, error) {
		open, err := q.PendingRequests(ctx, &mpcmodule.QueryPendingRequestsRequest{Pagination: page})
		if err != nil {
			return nil, fmt.Errorf("ask the chain for open requests: %w", err)
		}
		for _, r := range open.Requests {
			if same(r.Kind, r.Id) {
				o.ExpiryHeight = r.ExpiryHeight
			}
		}
		return open.Pagination, nil
	})
	if err != nil {
		return err
	}
	return pages(func(page *query.PageRequest) (*query.PageResponse, error) {
		faults, err := q.Faults(ctx, &mpcmodule.QueryFaultsRequest{Pagination: page})
		if err != nil {
			return nil, fmt.Errorf("ask the chain for faults: %w", err)
		}
		for _, f := range faults.Faults {
			if same(f.RequestKind, f.RequestId) {
				o.Faults = append(o.Faults, FaultReport{f.Participant, f.Accuser, f.Reason, f.Attempt, f.Height})
			}
		}
		return faults.Pagination, nil
	})
}

// pageLimit is as much as the chain answers at once.
const pageLimit = 1000

// pages asks until the chain has no more.
func pages(ask func(*query.PageRequest) (*query.PageResponse, error)) error {
	for page := (&query.PageRequest{Limit: pageLimit}); page != nil; {
		answer, err := ask(page)
		if err != nil {
			return err
		}
		page = nil
		if answer != nil && len(answer.NextKey) > 0 {
			page = &query.PageRequest{Key: answer.NextKey, Limit: pageLimit}
		}
	}
	return nil
}
