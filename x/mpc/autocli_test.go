package mpc_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/cosmos/gogoproto/proto"
	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protojson"
	protov2 "google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoregistry"

	"cosmossdk.io/client/v2/autocli"
	"cosmossdk.io/client/v2/autocli/flag"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/client/flags"
	"github.com/cosmos/cosmos-sdk/codec/address"
	"github.com/cosmos/cosmos-sdk/crypto/keyring"
	sdk "github.com/cosmos/cosmos-sdk/types"
	authtx "github.com/cosmos/cosmos-sdk/x/auth/tx"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	govtypes "github.com/cosmos/cosmos-sdk/x/gov/types"
	govv1 "github.com/cosmos/cosmos-sdk/x/gov/types/v1"

	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

var _ autocli.HasCustomTxCommand = mpc.AppModule{}

// conn answers every query with an empty response and remembers what was asked.
type conn struct {
	asked   string
	request protov2.Message
}

func (c *conn) Invoke(_ context.Context, method string, request, _ any, _ ...grpc.CallOption) error {
	c.asked, c.request = method, request.(protov2.Message)
	return nil
}

func (*conn) NewStream(context.Context, *grpc.StreamDesc, string, ...grpc.CallOption) (grpc.ClientStream, error) {
	return nil, errors.New("no streams here")
}

// commandLine runs the module's commands as an app's root command would.
type commandLine struct {
	t       *testing.T
	fixture *chain.Fixture
	builder *autocli.Builder
	conn    *conn
	// node answers what commands other than AutoCLI's ask; nil: there is none.
	node client.CometRPC
}

func newCommandLine(t *testing.T) commandLine {
	t.Helper()
	// The client's --from knows addresses by the process's configuration alone.
	sdk.GetConfig().SetBech32PrefixForAccount("seq", "seqpub")
	sdk.GetConfig().SetBech32PrefixForValidator("seqvaloper", "seqvaloperpub")
	files, err := proto.MergedRegistry()
	require.NoError(t, err)
	c := commandLine{t: t, fixture: chain.New(t, 0), conn: &conn{}}
	c.builder = &autocli.Builder{
		Builder: flag.Builder{
			TypeResolver: protoregistry.GlobalTypes, FileResolver: files,
			AddressCodec: address.NewBech32Codec("seq"), ValidatorAddressCodec: address.NewBech32Codec("seqvaloper"),
			ConsensusAddressCodec: address.NewBech32Codec("seqvalcons"),
		},
		GetClientConn:     func(*cobra.Command) (grpc.ClientConnInterface, error) { return c.conn, nil },
		AddQueryConnFlags: flags.AddQueryFlagsToCmd,
		AddTxConnFlags:    flags.AddTxFlagsToCmd,
	}
	require.NoError(t, c.builder.ValidateAndComplete())
	return c
}

func (c commandLine) run(add func(*cobra.Command) error, args ...string) string {
	c.t.Helper()
	out, err := c.try(add, args...)
	require.NoError(c.t, err, "%v: %s", args, out)
	return out
}

func (c commandLine) try(add func(*cobra.Command) error, args ...string) (string, error) {
	c.t.Helper()
	cmd := &cobra.Command{Use: "mpc"}
	require.NoError(c.t, add(cmd))
	var out bytes.Buffer
	cdc := c.fixture.Cdc
	ctx := client.Context{}.WithCodec(cdc).WithInterfaceRegistry(cdc.InterfaceRegistry()).WithOutput(&out).
		WithTxConfig(authtx.NewTxConfig(cdc, authtx.DefaultSignModes)).WithKeyring(keyring.NewInMemory(cdc)).WithViper("").WithClient(c.node)
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	cmd.SetArgs(args)
	err := cmd.ExecuteContext(context.WithValue(context.Background(), client.ClientContextKey, &ctx))
	return out.String(), err
}

func (c commandLine) query(args ...string) {
	c.t.Helper()
	options := mpc.AppModule{}.AutoCLIOptions().Query
	c.run(func(cmd *cobra.Command) error { return c.builder.AddQueryServiceCommands(cmd, options) }, append(args, "--output", "json")...)
}

// tx returns the message that a command makes.
func (c commandLine) tx(args ...string) sdk.Msg {
	c.t.Helper()
	return c.message(c.run(c.addTx, append(args, "--generate-only", "--offline", "--account-number", "1", "--sequence", "1")...))
}

// addTx makes all commands that send transactions.
func (c commandLine) addTx(cmd *cobra.Command) error {
	cmd.AddCommand(mpc.AppModule{}.GetTxCmd().Commands()...)
	return c.builder.AddMsgServiceCommands(cmd, mpc.AppModule{}.AutoCLIOptions().Tx)
}

// message is the one of the transaction that a command generated.
func (c commandLine) message(out string) sdk.Msg {
	c.t.Helper()
	tx, err := authtx.NewTxConfig(c.fixture.Cdc, authtx.DefaultSignModes).TxJSONDecoder()([]byte(out))
	require.NoError(c.t, err, out)
	require.Len(c.t, tx.GetMsgs(), 1)
	return tx.GetMsgs()[0]
}

func TestQueryCommands(t *testing.T) {
	c := newCommandLine(t)
	operator, owner := chain.Operator(0), c.fixture.Requester
	for _, tt := range []struct {
		rpc, request string
		args         []string
	}{
		{"Params", `{}`, []string{"params"}},
		{"Participant", `{"operator": "` + operator + `"}`, []string{"participant", operator}},
		{"Participants", `{"pagination": {"limit": "2"}}`, []string{"participants", "--page-limit", "2"}},
		{"Key", `{"keyId": "k"}`, []string{"key", "k"}},
		{"Keys", `{"status": "KEY_STATUS_READY", "owner": "` + owner + `", "pagination": {}}`, []string{"keys", "--status", "ready", "--owner", owner}},
		{"Signature", `{"signatureId": "s"}`, []string{"signature", "s"}},
		{"Signatures", `{"keyId": "k", "status": "SIGNATURE_STATUS_READY", "pagination": {}}`, []string{"signatures", "k", "--status", "ready"}},
		{"PendingRequests", `{"kind": "REQUEST_KIND_SIGN", "pagination": {}}`, []string{"pending", "--kind", "sign"}},
		{"Faults", `{"participant": "` + operator + `", "pagination": {}}`, []string{"faults", "--participant", operator}},
		{"CanKeyGen", `{"threshold": 2, "requester": "` + owner + `", "participants": ["` + operator + `"]}`,
			[]string{"can-keygen", "2", "--requester", owner, "--participants", operator}},
		{"CanSign", `{"keyId": "k", "requester": "` + owner + `"}`, []string{"can-sign", "k", "--requester", owner}},
		{"Reshare", `{"reshareId": "r"}`, []string{"reshare", "r"}},
		{"Reshares", `{"keyId": "k", "status": "RESHARE_STATUS_TESTING", "pagination": {}}`, []string{"reshares", "--key-id", "k", "--status", "testing"}},
		{"CanReshare", `{"keyId": "k", "threshold": 2}`, []string{"can-reshare", "k", "2"}},
	} {
		t.Run(tt.rpc, func(t *testing.T) {
			c.query(tt.args...)
			require.Equal(t, "/sequencer.mpc.v1.Query/"+tt.rpc, c.conn.asked)
			request, err := protojson.Marshal(c.conn.request)
			require.NoError(t, err)
			require.JSONEq(t, tt.request, string(request))
		})
	}
}

func TestTxCommands(t *testing.T) {
	c := newCommandLine(t)
	from := c.fixture.Requester
	require.Equal(t, &types.MsgKeyGen{Requester: from, KeyId: "k", Threshold: 2, Algorithm: types.ALGORITHM_ECDSA_SECP256K1},
		c.tx("keygen", "k", "ecdsa-secp256-k1", "2", "--from", from))
	require.Equal(t, []string{chain.Operator(1), chain.Operator(0)},
		c.tx("keygen", "k", "ecdsa-secp256-k1", "1", "--from", from, "--participants", chain.Operator(1)+","+chain.Operator(0)).(*types.MsgKeyGen).Participants)
	digest := chain.Digest("text")
	require.Equal(t, &types.MsgKeySign{Requester: from, SignatureId: "s", KeyId: "k", Payload: types.DigestPayload(digest)},
		c.tx("sign", "s", "k", hex.EncodeToString(digest), "--from", from))
	require.True(t, c.tx("keygen", "k", "ecdsa-secp256-k1", "1", "--from", from, "--allow-raw").(*types.MsgKeyGen).AllowRaw)
	file := filepath.Join(t.TempDir(), "payload")
	require.NoError(t, os.WriteFile(file, []byte("@in a file\n"), 0o600))
	for arg, data := range map[string]string{"hello": "hello", "0x00ff": "\x00\xff", "@" + file: "@in a file\n"} {
		require.Equal(t, &types.MsgKeySign{Requester: from, SignatureId: "s", KeyId: "k", Payload: types.KindPayload("some-kind", []byte(data))},
			c.tx("sign-payload", "s", "k", "some-kind", arg, "--from", from))
	}
	require.Equal(t, &types.MsgKeyReshare{Requester: from, ReshareId: "r", KeyId: "k", Threshold: 2, Participants: []string{chain.Operator(1), chain.Operator(0)}},
		c.tx("reshare", "r", "k", "2", "--from", from, "--participants", chain.Operator(1)+","+chain.Operator(0)))
	require.Equal(t, &types.MsgCancelReshare{Requester: from, ReshareId: "r"}, c.tx("cancel-reshare", "r", "--from", from))
	require.Equal(t, &types.MsgKeyDelete{Requester: from, KeyId: "k"}, c.tx("delete", "k", "--from", from))
	require.Equal(t, &types.MsgUndelete{Requester: from, KeyId: "k"}, c.tx("undelete", "k", "--from", from))
	account, err := sdk.AccAddressFromBech32(from)
	require.NoError(t, err)
	require.Equal(t, &types.MsgRevokeParticipant{Operator: sdk.ValAddress(account).String()}, c.tx("revoke", "--from", from))
}

// The proposal is of gov, with its account as the authority, and all parameters.
func TestUpdateParamsProposal(t *testing.T) {
	c := newCommandLine(t)
	govv1.RegisterInterfaces(c.fixture.Cdc.InterfaceRegistry())
	params := types.DefaultParams()
	params.FaultBlocks, params.Requesters = 77, []string{c.fixture.Requester}
	params.SignFee = sdk.NewCoins(sdk.NewInt64Coin("stake", 3))
	params.KeygenFee, params.ReshareFee = params.SignFee, params.SignFee
	bz, err := c.fixture.Cdc.MarshalJSON(&params)
	require.NoError(t, err)
	from := c.fixture.Requester
	proposal := c.tx("update-params-proposal", string(bz), "--from", from, "--title", "longer", "--summary", "remember faults", "--deposit", "5stake")
	submitted, ok := proposal.(*govv1.MsgSubmitProposal)
	require.True(t, ok, "%T", proposal)
	require.Equal(t, from, submitted.Proposer)
	require.Equal(t, "longer", submitted.Title)
	require.Equal(t, "5stake", sdk.NewCoins(submitted.InitialDeposit...).String())
	messages, err := submitted.GetMsgs()
	require.NoError(t, err)
	require.Equal(t, []sdk.Msg{&types.MsgUpdateParams{
		Authority: authtypes.NewModuleAddress(govtypes.ModuleName).String(), Params: params,
	}}, messages)
}
