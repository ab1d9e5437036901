package relay

import (
	"context"
	"fmt"
	"maps"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"
	ethtypes "github.com/ethereum/go-ethereum/core/types"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/sequencer-mpc/sequencer/x/settlement/types"
)

// Ethereum is what the relay asks of a node of the other chain. ethclient.Client
// implements it.
type Ethereum interface {
	Past
	Pool
	// ChainID is the number of the chain that the node follows.
	ChainID(ctx context.Context) (*big.Int, error)
	// BlockNumber is the newest block's.
	BlockNumber(ctx context.Context) (uint64, error)
	// HeaderByNumber is a block's; of rpc.FinalizedBlockNumber, of the newest final one.
	HeaderByNumber(ctx context.Context, number *big.Int) (*ethtypes.Header, error)
	// TransactionReceipt says what became of a transaction, or fails with
	// ethereum.NotFound if no block has it.
	TransactionReceipt(ctx context.Context, hash common.Hash) (*ethtypes.Receipt, error)
}

// Pool is what waits at the node for a block.
type Pool interface {
	// SendTransaction hands over a signed transaction. An rpc.Error says why the node does not
	// take it; with another error it may have it.
	SendTransaction(ctx context.Context, tx *ethtypes.Transaction) error
	// TransactionByHash is a transaction that the node has, pending or in a block; it fails
	// with ethereum.NotFound for another.
	TransactionByHash(ctx context.Context, hash common.Hash) (tx *ethtypes.Transaction, pending bool, err error)
	// BalanceAt is what an account has after a block, in wei; nil: the newest one.
	BalanceAt(ctx context.Context, account common.Address, block *big.Int) (*big.Int, error)
}

// Past is how it finds a transaction whose hash it does not know.
type Past interface {
	// NonceAt is how many nonces an account has used up after a block; nil: the newest one.
	NonceAt(ctx context.Context, account common.Address, block *big.Int) (uint64, error)
	// BlockByNumber is a block with its transactions.
	BlockByNumber(ctx context.Context, number *big.Int) (*ethtypes.Block, error)
}

// Sequencer is what it asks of a node of this chain.
type Sequencer interface {
	State
	// Send signs a message, sends it, and waits until it is in a block. An error says why
	// it had no effect.
	Send(ctx context.Context, msg sdk.Msg) error
}

// State is what x/settlement knows.
type State interface {
	// Address is that of a READY key, 0x and hex digits.
	Address(ctx context.Context, keyID string) (string, error)
	// Open lists the transactions that wait for inclusion, by key and nonce.
	Open(ctx context.Context) ([]types.Transaction, error)
	// Settled lists the transactions of a key with nonces from one up to and without another,
	// by nonce. Those that are not kept any more are missing.
	Settled(ctx context.Context, keyID string, from, to uint64) ([]types.Transaction, error)
	// Reported is what an operator said of a transaction; nil for nothing.
	Reported(ctx context.Context, id uint64, operator string) (*types.Receipt, error)
	// GasLimit is the gas of attempts that are new from now on.
	GasLimit(ctx context.Context) (uint64, error)
}

// Options say how patient a relay is.
type Options struct {
	// Operator is the validator for whom it speaks.
	Operator string
	// Confirmations is how many blocks of the other chain a receipt must have, its own
	// included, before it is reported: what is reported is believed for ever. 0: as many as
	// that chain takes to call its block final.
	Confirmations uint64
	// BumpAfter is for how many blocks of the other chain a transaction waits before more
	// is offered for it, before this chain is asked to look for its signature, or to sign again
	// what was not signed. Signatures wait for these blocks for some minutes at most.
	BumpAfter uint64
	// Clock says how late it is; nil: the machine's.
	Clock func() time.Time
	// Interval is the pause between two looks.
	Interval time.Duration
}

// Relay is one relay.
type Relay struct {
	Options
	ethereum  Ethereum
	sequencer Sequencer
	say       func(line string)

	// first is the block of the other chain at which this process sent an attempt first, or its
	// node did not take it first.
	first map[common.Hash]uint64
	// signing is what is known of requests for signatures that are open, by signature id.
	signing map[string]request
	// failed is when this process saw first that a request failed, or asked for another in vain, by
	// signature id.
	failed map[string]moment
	// reported is the block of the other chain at which this process reported a transaction
	// last, or found first that it was reported before.
	reported map[uint64]uint64
	// said is what was said last of each transaction.
	said map[uint64]string
	// waiting are the transactions that were open at the last look.
	waiting map[uint64]types.Transaction
	// foreign are hashes of open transactions that this chain does not know.
	foreign map[uint64]common.Hash
	// addresses of keys.
	addresses map[string]common.Address
}

// New makes a relay. It tells say what it does, a line for each thing that changed.
func New(e Ethereum, s Sequencer, o Options, say func(line string)) *Relay {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	return &Relay{
		Options: o, ethereum: e, sequencer: s, say: say, first: make(map[common.Hash]uint64), signing: make(map[string]request), failed: make(map[string]moment),
		reported: make(map[uint64]uint64), said: make(map[uint64]string), waiting: make(map[uint64]types.Transaction), foreign: make(map[uint64]common.Hash), addresses: make(map[string]common.Address),
	}
}

// Run looks again and again until the context ends. A node that is away is waited for.
func (r *Relay) Run(ctx context.Context) error {
	tick := time.NewTicker(r.Interval)
	defer tick.Stop()
	last := ""
	for {
		trouble := ""
		if err := r.Step(ctx); err != nil && ctx.Err() == nil {
			trouble = err.Error()
		}
		switch trouble {
		case last:
		case "":
			r.say("goes on")
		default:
			r.say(trouble)
		}
		last = trouble
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Step looks at all open transactions once. Trouble with one of them is said, and keeps
// no other waiting; an error is trouble with a node.
func (r *Relay) Step(ctx context.Context) error {
	chain, err := r.ethereum.ChainID(ctx)
	if err != nil {
		return fmt.Errorf("ask the other chain's node for its chain: %w", private(err))
	}
	head, err := r.ethereum.BlockNumber(ctx)
	if err != nil {
		return fmt.Errorf("ask the other chain's node for its height: %w", private(err))
	}
	open, err := r.sequencer.Open(ctx)
	if err != nil {
		return fmt.Errorf("ask for open transactions: %w", err)
	}
	if err := r.forget(ctx, open); err != nil {
		return err
	}
	key := ""
	for _, t := range open {
		next := t.KeyId != key // the first one of its key
		key = t.KeyId
		if !chain.IsUint64() || chain.Uint64() != t.ChainId {
			r.tell(t.Id, fmt.Sprintf("is for chain %d, but the node of --rpc is of chain %s", t.ChainId, chain))
			continue
		}
		said, err := r.look(ctx, t, head, next)
		if err != nil {
			said = err.Error()
		}
		r.tell(t.Id, said)
	}
	return nil
}

// look does what is to be done for a transaction, and says so.
func (r *Relay) look(ctx context.Context, t types.Transaction, head uint64, next bool) (string, error) {
	receipt, used, err := r.inclusion(ctx, t, head)
	switch {
	case err != nil:
		return "", err
	case receipt != nil:
		said, err := r.report(ctx, t, receipt, head)
		if r.foreign[t.Id] == receipt.TxHash {
			said = fmt.Sprintf("%s, by %s, which this chain did not get the signature of", said, receipt.TxHash)
		}
		return said, err
	case next && used < t.Nonce:
		return r.restore(ctx, t, used, head)
	case t.Current().Status == types.ATTEMPT_STATUS_FAILED:
		return r.again(ctx, t, head)
	}
	attempt, ok := newestSigned(t)
	if !ok {
		return r.signature(ctx, t, head), nil
	}
	return r.offer(ctx, t, attempt, head, next)
}

// tell says something of a transaction, unless it is what was said last.
func (r *Relay) tell(id uint64, line string) {
	if r.said[id] != line {
		r.said[id] = line
		r.say(fmt.Sprintf("transaction %d: %s", id, line))
	}
}

// forget drops what is remembered of transactions that are not open any more, and says what became
// of them.
func (r *Relay) forget(ctx context.Context, open []types.Transaction) error {
	ids, signatures, hashes := make(map[uint64]bool), make(map[string]bool), make(map[common.Hash]bool)
	for _, t := range open {
		ids[t.Id], signatures[t.Current().SignatureId] = true, true
		for _, a := range t.Attempts {
			hashes[common.HexToHash(a.Hash)] = true
		}
	}
	maps.DeleteFunc(r.reported, func(id, _ uint64) bool { return !ids[id] })
	maps.DeleteFunc(r.foreign, func(id uint64, _ common.Hash) bool { return !ids[id] })
	maps.DeleteFunc(r.signing, func(id string, _ request) bool { return !signatures[id] })
	maps.DeleteFunc(r.failed, func(id string, _ moment) bool { return !signatures[id] })
	maps.DeleteFunc(r.first, func(hash common.Hash, _ uint64) bool { return !hashes[hash] })
	err := r.closed(ctx, ids)
	for _, t := range open {
		r.waiting[t.Id] = t
	}
	return err
}
