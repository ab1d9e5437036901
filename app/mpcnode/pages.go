package mpcnode

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/types/query"

	"github.com/sequencer-mpc/sequencer/app/mpcnode/page"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	mpcmodule "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// What the page shows at most of what the chain has without end.
const (
	maxPageKeys         = 100
	maxPageParticipants = 200
	maxPageFaults       = 20
	// maxPageSigns are the open requests for signatures that are asked about.
	maxPageSigns = 50
)

// PageReport is what the page /mpc/ shows.
type PageReport struct {
	ChainID string       `json:"chain_id"`
	Status  StatusReport `json:"status"`
	Keys    []PageKey    `json:"keys"`
	// KeysLeftOut: the chain has more keys than are here. Those that are READY come first.
	KeysLeftOut  bool              `json:"keys_left_out"`
	Sessions     []SessionReport   `json:"sessions"`
	Participants []PageParticipant `json:"participants"`
	// Refusals are of requests that are open, as the chain has them, and of those that failed
	// of late, the newest first.
	Refusals []PageRefusal `json:"refusals"`
	// Faults are the latest, newest first.
	Faults []PageFault `json:"faults"`
	At     time.Time   `json:"at"`
}

// PageKey is a key as the chain has it.
type PageKey struct {
	ID           string `json:"id"`
	Status       string `json:"status"`
	Reason       string `json:"reason,omitempty"`
	Epoch        uint64 `json:"epoch"`
	Threshold    uint32 `json:"threshold"`
	Participants int    `json:"participants"`
	// Missing are those who said that they have no share.
	Missing []string `json:"missing"`
	// Revoked are those without an identity that counts; of a READY key.
	Revoked []string `json:"revoked"`
	// Losses is how many more participants may lose their share or identity before the key
	// cannot sign; below 0: it cannot now.
	Losses  int    `json:"losses"`
	Reshare string `json:"reshare,omitempty"`
	// Address is the key's on Ethereum.
	Address string `json:"address,omitempty"`
}

// PageParticipant is one that registered.
type PageParticipant struct {
	Operator string `json:"operator"`
	Self     bool   `json:"self"`
	// Direct: it is a peer of this node.
	Direct bool `json:"direct"`
	// Registered: its identity counts, in this version.
	Registered bool   `json:"registered"`
	Version    uint32 `json:"version"`
}

// PageRefusal is a member that will not sign what was asked for, and why.
type PageRefusal struct {
	Request string `json:"request"`
	KeyID   string `json:"key_id"`
	// Status of the request is PENDING or ERROR.
	Status string `json:"status"`
	RefusalReport
}

// PageFault is one that the chain took.
type PageFault struct {
	Height      int64  `json:"height"`
	Participant string `json:"participant"`
	Reason      string `json:"reason"`
	Proof       bool   `json:"proof"`
	Request     string `json:"request"`
	Accuser     string `json:"accuser,omitempty"`
}

// pageSource answers the page, from when the engine is there.
type pageSource struct {
	reports atomic.Pointer[reporter]
	failed  failedSigns
}

// errStarting is what the page says before.
var errStarting = errors.New("it is starting")

// showsPage says whether the API server at an address shows the page.
func (c Config) showsPage(address string) bool {
	return c.Enabled && (c.Page == PageOn || c.Page == PageLocal && isLocal(address))
}

// guardPage keeps a page that is for this machine from whoever asks from elsewhere.
func (c Config) guardPage(h http.Handler) http.Handler {
	if c.Page == PageOn {
		return h
	}
	return page.Local(h)
}

// isLocal reports whether an address such as tcp://localhost:1317 is of this machine
// alone.
func isLocal(address string) bool {
	if _, rest, ok := strings.Cut(address, "://"); ok {
		address = rest
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// asker asks engine and chain.
func (p *pageSource) asker(chainID string, clientCtx client.Context) page.Asker {
	chain := mpcmodule.NewQueryClient(clientCtx)
	return func(ctx context.Context) (any, error) {
		r := p.reports.Load()
		if r == nil {
			return nil, errStarting
		}
		status := r.engine.engine.Status()
		report := PageReport{
			ChainID: chainID, Status: r.status(), Sessions: reportSessions(status.Sessions).Sessions, At: status.At,
		}
		if err := report.readChain(ctx, chain, p.failed.list()); err != nil {
			return nil, fmt.Errorf("ask the chain: %w", err)
		}
		return report, nil
	}
}

// readChain adds what the chain says; failed are requests for signatures.
func (r *PageReport) readChain(ctx context.Context, chain mpcmodule.QueryClient, failed []string) error {
	identified, err := r.readParticipants(ctx, chain)
	if err != nil {
		return err
	}
	if err := r.readKeys(ctx, chain, identified); err != nil {
		return err
	}
	if err := r.readRefusals(ctx, chain, failed); err != nil {
		return err
	}
	// They come by participant: the latest may be anybody's.
	var faults []mpcmodule.Fault
	err = pages(func(page *query.PageRequest) (*query.PageResponse, error) {
		answer, err := chain.Faults(ctx, &mpcmodule.QueryFaultsRequest{Pagination: page})
		if err != nil {
			return nil, err
		}
		faults = append(faults, answer.Faults...)
		return answer.Pagination, nil
	})
	r.Faults = latest(faults)
	return err
}

// readParticipants shows some, and says of all whether they have an identity that counts:
// a key may be of those that are not shown.
func (r *PageReport) readParticipants(ctx context.Context, chain mpcmodule.QueryClient) (identified map[string]bool, err error) {
	r.Participants, identified = []PageParticipant{}, make(map[string]bool)
	err = pages(func(page *query.PageRequest) (*query.PageResponse, error) {
		answer, err := chain.Participants(ctx, &mpcmodule.QueryParticipantsRequest{Pagination: page})
		if err != nil {
			return nil, err
		}
		for _, p := range answer.Participants {
			shown := r.participant(p)
			if identified[p.Operator] = shown.Registered; len(r.Participants) < maxPageParticipants {
				r.Participants = append(r.Participants, shown)
			}
		}
		return answer.Pagination, nil
	})
	return identified, err
}

// keyOrder is that of the keys: what signs first, what is gone for good last.
var keyOrder = []mpcmodule.KeyStatus{
	mpcmodule.KEY_STATUS_READY, mpcmodule.KEY_STATUS_PENDING, mpcmodule.KEY_STATUS_DELETING,
	mpcmodule.KEY_STATUS_ERROR, mpcmodule.KEY_STATUS_DELETED,
}

// readKeys asks for keys by their status: those that failed or were deleted stay on the
// chain for long, or for ever, and would leave no room for the others.
func (r *PageReport) readKeys(ctx context.Context, chain mpcmodule.QueryClient, identified map[string]bool) error {
	r.Keys = []PageKey{}
	for _, status := range keyOrder {
		room := maxPageKeys - len(r.Keys)
		answer, err := chain.Keys(ctx, &mpcmodule.QueryKeysRequest{
			Status: status, Pagination: &query.PageRequest{Limit: uint64(max(room, 1))}, // one tells that there are more
		})
		if err != nil {
			return err
		}
		shown := answer.Keys[:min(len(answer.Keys), room)]
		for _, k := range shown {
			r.Keys = append(r.Keys, pageKey(k, identified))
		}
		r.KeysLeftOut = r.KeysLeftOut || len(shown) < len(answer.Keys) || len(answer.Pagination.GetNextKey()) > 0
	}
	return nil
}

// readRefusals asks about open requests for signatures, and these that failed.
func (r *PageReport) readRefusals(ctx context.Context, chain mpcmodule.QueryClient, failed []string) error {
	var ids []string
	err := pages(func(page *query.PageRequest) (*query.PageResponse, error) {
		open, err := chain.PendingRequests(ctx, &mpcmodule.QueryPendingRequestsRequest{Pagination: page})
		if err != nil {
			return nil, err
		}
		for _, q := range open.Requests {
			if q.Kind == mpcmodule.REQUEST_KIND_SIGN {
				ids = append(ids, q.Id)
			}
		}
		return open.Pagination, nil
	})
	if err != nil {
		return err
	}
	slices.Reverse(ids) // they come in the order of service
	r.Refusals = []PageRefusal{}
	for _, id := range slices.Concat(ids[:min(len(ids), maxPageSigns)], failed) {
		o, err := chainQueries{chain}.signature(ctx, id)
		if err != nil {
			return err
		}
		if o == nil || o.Status == "READY" {
			continue // pruned, or decided meanwhile
		}
		for _, refusal := range o.Refusals {
			r.Refusals = append(r.Refusals, PageRefusal{o.ID, o.KeyID, o.Status, refusal})
		}
	}
	return nil
}

func pageKey(k mpcmodule.Key, identified map[string]bool) PageKey {
	has := func(operator string) bool { return identified[operator] }
	out := PageKey{
		ID: k.Id, Status: strings.TrimPrefix(k.Status.String(), "KEY_STATUS_"), Reason: k.Reason, Epoch: k.Epoch,
		Threshold: k.Threshold, Participants: len(k.Participants), Missing: append([]string{}, k.MissingShares...), Revoked: []string{},
		Losses: types.CountSigners(k.Participants, k.MissingShares, has) - int(k.Threshold) - 1, Reshare: k.ReshareId,
	}
	if k.Status == mpcmodule.KEY_STATUS_READY {
		out.Revoked = slices.DeleteFunc(slices.Clone(k.Participants), has)
	}
	if len(k.PublicKey) > 0 {
		out.Address, _ = mpcmodule.EthereumAddress(k.PublicKey) // a key that is no point has none
	}
	return out
}

func (r *PageReport) participant(p mpcmodule.Participant) PageParticipant {
	out := PageParticipant{
		Operator: p.Operator, Self: p.Operator == r.Status.Operator, Direct: slices.Contains(r.Status.Reachable, p.Operator),
	}
	if current, ok := p.Current(); ok {
		out.Registered, out.Version = true, current.Version
	}
	return out
}

// latest are the newest faults, newest first.
func latest(faults []mpcmodule.Fault) []PageFault {
	slices.SortStableFunc(faults, func(a, b mpcmodule.Fault) int { return int(b.Height - a.Height) })
	out := make([]PageFault, 0, maxPageFaults)
	for _, f := range faults[:min(len(faults), maxPageFaults)] {
		out = append(out, PageFault{
			Height: f.Height, Participant: f.Participant, Reason: f.Reason, Proof: f.Kind == mpcmodule.FAULT_KIND_EQUIVOCATION,
			Request: f.RequestId, Accuser: f.Accuser,
		})
	}
	return out
}
