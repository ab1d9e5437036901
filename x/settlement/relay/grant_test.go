package relay

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/client/tx"
	"github.com/cosmos/cosmos-sdk/codec/address"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/x/authz"

	"github.com/sequencer-mpc/sequencer/x/settlement/types"
)

const (
	bumpURL   = "/sequencer.settlement.v1.MsgBumpFee"
	reportURL = "/sequencer.settlement.v1.MsgReportReceipt"
)

// granting is a node of a chain on which these types are granted, until then; nil: for ever.
type granting struct {
	authz.QueryClient
	until map[string]*time.Time
	away  error
	asked []string
}

func (g *granting) Grants(_ context.Context, r *authz.QueryGrantsRequest, _ ...grpc.CallOption) (*authz.QueryGrantsResponse, error) {
	g.asked = append(g.asked, r.Granter+" "+r.Grantee)
	if g.away != nil {
		return nil, g.away
	}
	until, ok := g.until[r.MsgTypeUrl]
	if !ok {
		return nil, status.Error(codes.Unknown, "codespace authz code 2: authorization not found: authorization not found for "+r.MsgTypeUrl+" type")
	}
	return &authz.QueryGrantsResponse{Grants: []*authz.Grant{{Expiration: until}}}, nil
}

func testGrants(g *granting) *grants {
	return &grants{query: g, granter: bytes.Repeat([]byte{1}, 20), grantee: bytes.Repeat([]byte{2}, 20), chain: "chain-1"}
}

// A relay begins when all that it sends is granted, and says otherwise what to type for what is
// missing, and for nothing else.
func TestGrantsAtTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		past, future := time.Now().Add(-time.Second), time.Now().Add(time.Hour)
		for name, c := range map[string]struct {
			until   map[string]*time.Time
			missing []string
		}{
			"all, for ever": {map[string]*time.Time{bumpURL: nil, reportURL: nil}, nil},
			"all, for now":  {map[string]*time.Time{bumpURL: &future, reportURL: nil}, nil},
			"none":          {nil, []string{bumpURL, reportURL}},
			"one":           {map[string]*time.Time{bumpURL: nil}, []string{reportURL}},
			"expired":       {map[string]*time.Time{bumpURL: &past, reportURL: &future}, []string{bumpURL}},
		} {
			g := &granting{until: c.until}
			grants := testGrants(g)
			err := grants.await(t.Context(), time.Second, func(line string) { t.Error(line) })
			require.Equal(t, grants.granter.String()+" "+grants.grantee.String(), g.asked[0], name)
			if c.missing == nil {
				require.NoError(t, err, name)
				continue
			}
			for _, url := range []string{bumpURL, reportURL} {
				command := " tx authz grant " + grants.grantee.String() + " generic --msg-type " + url + " --from " + grants.granter.String() + " --chain-id chain-1"
				if url == c.missing[0] || len(c.missing) == 2 {
					require.ErrorContains(t, err, command, name)
				} else {
					require.NotContains(t, err.Error(), command, name)
				}
			}
		}
	})
}

// A node that is away at the start is waited for, as it is later; then its answer counts.
func TestGrantsOfANodeThatIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &granting{until: map[string]*time.Time{bumpURL: nil, reportURL: nil}, away: errors.New("connection refused")}
		var said []string
		ended := make(chan error, 1)
		begin := func(ctx context.Context) {
			go func() {
				ended <- testGrants(g).await(ctx, time.Second, func(line string) { said = append(said, line) })
			}()
			time.Sleep(10 * time.Second)
			synctest.Wait()
		}
		begin(t.Context())
		require.Len(t, said, 1)
		require.Contains(t, said[0], "connection refused")
		require.Empty(t, ended)
		g.away = nil
		time.Sleep(time.Second)
		require.NoError(t, <-ended)

		g.away = errors.New("connection refused")
		ctx, stop := context.WithCancel(t.Context())
		begin(ctx)
		stop()
		require.NoError(t, <-ended, "who stops it wants no error")
	})
}

// An account that is not the operator's sends its messages by MsgExec, and says what to type
// when it may not any more. The operator's own sends them as they are.
func TestWhoSigns(t *testing.T) {
	operator, other := sdk.AccAddress(bytes.Repeat([]byte{1}, 20)), sdk.AccAddress(bytes.Repeat([]byte{2}, 20))
	own := newNode(client.Context{FromAddress: operator}, tx.Factory{}, operator)
	require.Nil(t, own.grants)
	n := newNode(client.Context{FromAddress: other, ChainID: "chain-1"}, tx.Factory{}, operator)
	require.Equal(t, operator, n.grants.granter)
	require.Equal(t, other, n.grants.grantee)

	msg := &types.MsgBumpFee{Operator: "o", TransactionId: 7}
	wrapped, ok := n.grants.exec(msg).(*authz.MsgExec)
	require.True(t, ok)
	require.Equal(t, other.String(), wrapped.Grantee)
	inner, err := wrapped.GetMessages()
	require.NoError(t, err)
	require.Equal(t, []sdk.Msg{msg}, inner)

	require.NoError(t, n.grants.explain(msg, nil))
	still := errors.New("still_signing")
	require.Equal(t, still, n.grants.explain(msg, still))
	for _, gone := range []error{authz.ErrNoAuthorizationFound, authz.ErrAuthorizationExpired} {
		err := n.grants.explain(msg, errors.New("the message failed: "+gone.Error()))
		require.ErrorContains(t, err, gone.Error()+"; where the operator's key is, type: ")
		require.ErrorContains(t, err, n.grants.command(bumpURL))
	}
}

// The operator is whom --operator names, and otherwise who signs.
func TestOperatorFlag(t *testing.T) {
	operators := address.NewBech32Codec("seqvaloper")
	operator, other := bytes.Repeat([]byte{1}, 20), bytes.Repeat([]byte{2}, 20)
	text, err := operators.BytesToString(operator)
	require.NoError(t, err)
	var o Options
	account, err := operatorOf(operators, &o, operator)
	require.NoError(t, err)
	require.Equal(t, operator, account.Bytes())
	require.Equal(t, text, o.Operator)
	account, err = operatorOf(operators, &o, other)
	require.NoError(t, err)
	require.Equal(t, operator, account.Bytes())
	require.Equal(t, text, o.Operator)
	o.Operator = "seq1other"
	_, err = operatorOf(operators, &o, other)
	require.ErrorContains(t, err, "--operator is the validator's address")
}
