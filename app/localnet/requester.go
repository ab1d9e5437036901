package localnet

import (
	"context"
	"errors"
	"fmt"
	"time"

	rpchttp "github.com/cometbft/cometbft/rpc/client/http"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/cosmos/cosmos-sdk/client/tx"
	"github.com/cosmos/cosmos-sdk/codec"
	"github.com/cosmos/cosmos-sdk/crypto/keyring"
	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"

	"github.com/sequencer-mpc/sequencer/app"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// gasPerMessage is more than any request of x/mpc with 16 participants takes;
// gas costs nothing on a local network.
const gasPerMessage = 2_000_000

// Requester is the account that may ask for keys and signatures, speaking to one
// node.
type Requester struct {
	// Address of the account.
	Address string
	// Query asks the chain about keys and signatures.
	Query mpctypes.QueryClient

	enc     app.Encoding
	chainID string
	keys    keyring.Keyring
	conn    *grpc.ClientConn
	rpc     *rpchttp.HTTP
}

// Requester connects the network's requester with a node. Close it.
func (n *Network) Requester(node int) (*Requester, error) {
	enc := app.NewTool().Encoding
	keys, err := openKeyring(n.manifest.KeyringDir, enc.Codec)
	if err != nil {
		return nil, err
	}
	info := n.nodes[node].info
	conn, err := grpc.NewClient(info.GRPC, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(codec.NewProtoCodec(enc.InterfaceRegistry).GRPCCodec())))
	if err != nil {
		return nil, fmt.Errorf("connect with %s: %w", info.Name, err)
	}
	rpc, err := rpchttp.New(info.RPC, "/websocket")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("connect with %s: %w", info.Name, err), conn.Close())
	}
	return &Requester{
		Address: n.manifest.Requester, Query: mpctypes.NewQueryClient(conn),
		enc: enc, chainID: n.manifest.ChainID, keys: keys, conn: conn, rpc: rpc,
	}, nil
}

// Close ends the connection.
func (r *Requester) Close() error { return r.conn.Close() }

// Send signs messages in one transaction, sends it and waits until it is in a
// block, whose height it returns.
func (r *Requester) Send(ctx context.Context, msgs ...sdk.Msg) (int64, error) {
	bz, err := r.sign(ctx, msgs)
	if err != nil {
		return 0, err
	}
	sent, err := r.rpc.BroadcastTxSync(ctx, bz)
	if err != nil {
		return 0, fmt.Errorf("send the transaction: %w", err)
	}
	if sent.Code != 0 {
		return 0, fmt.Errorf("the transaction was refused (%s %d): %s", sent.Codespace, sent.Code, sent.Log)
	}
	return r.included(ctx, sent.Hash)
}

func (r *Requester) sign(ctx context.Context, msgs []sdk.Msg) ([]byte, error) {
	account, err := authtypes.NewQueryClient(r.conn).AccountInfo(ctx, &authtypes.QueryAccountInfoRequest{Address: r.Address})
	if err != nil {
		return nil, fmt.Errorf("ask for the account %s: %w", r.Address, err)
	}
	factory := tx.Factory{}.WithChainID(r.chainID).WithKeybase(r.keys).WithTxConfig(r.enc.TxConfig).
		WithAccountNumber(account.Info.AccountNumber).WithSequence(account.Info.Sequence).
		WithGas(uint64(len(msgs)) * gasPerMessage)
	builder, err := factory.BuildUnsignedTx(msgs...)
	if err != nil {
		return nil, fmt.Errorf("build the transaction: %w", err)
	}
	if err := tx.Sign(ctx, factory, requesterKey, builder, true); err != nil {
		return nil, fmt.Errorf("sign the transaction: %w", err)
	}
	bz, err := r.enc.TxConfig.TxEncoder()(builder.GetTx())
	if err != nil {
		return nil, fmt.Errorf("encode the transaction: %w", err)
	}
	return bz, nil
}

// included waits until a transaction is in a block. Nodes do not know it before.
func (r *Requester) included(ctx context.Context, hash []byte) (int64, error) {
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		if found, err := r.rpc.Tx(ctx, hash, false); err == nil {
			if found.TxResult.Code != 0 {
				return 0, fmt.Errorf("the transaction failed (%s %d): %s", found.TxResult.Codespace, found.TxResult.Code, found.TxResult.Log)
			}
			return found.Height, nil
		}
		select {
		case <-ctx.Done():
			return 0, fmt.Errorf("wait for transaction %X: %w", hash, ctx.Err())
		case <-tick.C:
		}
	}
}
