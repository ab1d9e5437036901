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

// gasPerMessage is more than any request of x/mpc with 16 participants takes. A request
// for a signature takes less than gasPerSign and gasPerSignByte for each of its bytes: a
// hundred of digests fit into a block. Gas costs nothing on a local network.
const (
	gasPerMessage  = 2_000_000
	gasPerSign     = 500_000
	gasPerSignByte = 150
)

// gasOf is what a transaction with these messages may take.
func gasOf(msgs []sdk.Msg) (gas uint64) {
	for _, m := range msgs {
		if s, ok := m.(*mpctypes.MsgKeySign); ok {
			gas += gasPerSign + gasPerSignByte*uint64(s.Size())
		} else {
			gas += gasPerMessage
		}
	}
	return gas
}

// Account signs and sends transactions, speaking to one node.
type Account struct {
	// Address of the account.
	Address string
	// Query asks the chain about keys and signatures.
	Query mpctypes.QueryClient

	enc     app.Encoding
	chainID string
	keys    keyring.Keyring
	key     string // its name in the keyring
	conn    *grpc.ClientConn
	rpc     *rpchttp.HTTP
}

// Requester connects the account that may ask for keys and signatures with a
// node. Close it.
func (n *Network) Requester(node int) (*Account, error) {
	return n.account(n.nodes[node].info, n.manifest.KeyringDir, requesterKey)
}

// Operator connects the operator of a validator with its own node. Close it.
func (n *Network) Operator(node int) (*Account, error) {
	info := n.nodes[node].info
	return n.account(info, info.Home, validatorKey)
}

func (n *Network) account(info Info, keyringDir, key string) (*Account, error) {
	enc := app.NewTool().Encoding
	keys, err := openKeyring(keyringDir, enc.Codec)
	if err != nil {
		return nil, err
	}
	record, err := keys.Key(key)
	if err != nil {
		return nil, fmt.Errorf("find the key %s: %w", key, err)
	}
	address, err := record.GetAddress()
	if err != nil {
		return nil, fmt.Errorf("read the address of key %s: %w", key, err)
	}
	conn, err := grpc.NewClient(info.GRPC, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(codec.NewProtoCodec(enc.InterfaceRegistry).GRPCCodec())))
	if err != nil {
		return nil, fmt.Errorf("connect with %s: %w", info.Name, err)
	}
	rpc, err := dialRPC(info)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return &Account{
		Address: address.String(), Query: mpctypes.NewQueryClient(conn),
		enc: enc, chainID: n.manifest.ChainID, keys: keys, key: key, conn: conn, rpc: rpc,
	}, nil
}

// Close ends the connection.
func (a *Account) Close() error { return a.conn.Close() }

// Send signs messages in one transaction, sends it and waits until it is in a
// block, whose height it returns.
func (a *Account) Send(ctx context.Context, msgs ...sdk.Msg) (int64, error) {
	bz, err := a.sign(ctx, msgs)
	if err != nil {
		return 0, err
	}
	sent, err := a.rpc.BroadcastTxSync(ctx, bz)
	if err != nil {
		return 0, fmt.Errorf("send the transaction: %w", err)
	}
	if sent.Code != 0 {
		return 0, fmt.Errorf("the transaction was refused (%s %d): %s", sent.Codespace, sent.Code, sent.Log)
	}
	return a.included(ctx, sent.Hash)
}

func (a *Account) sign(ctx context.Context, msgs []sdk.Msg) ([]byte, error) {
	account, err := authtypes.NewQueryClient(a.conn).AccountInfo(ctx, &authtypes.QueryAccountInfoRequest{Address: a.Address})
	if err != nil {
		return nil, fmt.Errorf("ask for the account %s: %w", a.Address, err)
	}
	factory := tx.Factory{}.WithChainID(a.chainID).WithKeybase(a.keys).WithTxConfig(a.enc.TxConfig).
		WithAccountNumber(account.Info.AccountNumber).WithSequence(account.Info.Sequence).
		WithGas(gasOf(msgs))
	builder, err := factory.BuildUnsignedTx(msgs...)
	if err != nil {
		return nil, fmt.Errorf("build the transaction: %w", err)
	}
	if err := tx.Sign(ctx, factory, a.key, builder, true); err != nil {
		return nil, fmt.Errorf("sign the transaction: %w", err)
	}
	bz, err := a.enc.TxConfig.TxEncoder()(builder.GetTx())
	if err != nil {
		return nil, fmt.Errorf("encode the transaction: %w", err)
	}
	return bz, nil
}

// included waits until a transaction is in a block. Nodes do not know it before.
func (a *Account) included(ctx context.Context, hash []byte) (int64, error) {
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		if found, err := a.rpc.Tx(ctx, hash, false); err == nil {
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
