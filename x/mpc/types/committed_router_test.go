package types

import (
	"testing"

	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/log/v2"
	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"
	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"
)

// routed handles all messages, of one type, with an error.
type routed struct{ err error }

func (r routed) Handler(msg sdk.Msg) func(sdk.Context, sdk.Msg) (*sdk.Result, error) {
	return r.HandlerByTypeURL(sdk.MsgTypeURL(msg))
}

func (r routed) HandlerByTypeURL(typeURL string) func(sdk.Context, sdk.Msg) (*sdk.Result, error) {
	if typeURL != sdk.MsgTypeURL(&MsgKeyDelete{}) {
		return nil
	}
	return func(sdk.Context, sdk.Msg) (*sdk.Result, error) { return &sdk.Result{Log: "done"}, r.err }
}

// Errors of the named codespaces keep their reason alone, wherever they come from; others, and
// those of transactions, stay as they are.
func TestCommittedRouter(t *testing.T) {
	ours := errorsmod.Wrapf(ErrBadID.Wrap("no id"), "msg %d", 0)
	others := sdkerrors.ErrInsufficientFunds.Wrap("1useq")
	for name, test := range map[string]struct {
		err  error
		tx   bool
		want string
	}{
		"ours":                     {err: ours, want: "bad_id (mpc 2): the log of each node says more"},
		"ours, of a transaction":   {err: ours, tx: true, want: ours.Error()},
		"another module's":         {err: others, want: others.Error()},
		"what has its reason only": {err: errorsmod.Wrap(committedError{ErrNotOwner}, "msg 0"), want: "msg 0: not_owner (mpc 19): the log of each node says more"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := sdk.Context{}.WithContext(t.Context()).WithLogger(log.NewNopLogger())
			if test.tx {
				ctx = ctx.WithTxBytes([]byte{1})
			}
			msg := &MsgKeyDelete{}
			r := CommittedRouter(routed{test.err}, ModuleName)
			_, err := r.Handler(msg)(ctx, msg)
			require.EqualError(t, err, test.want)
			_, err = r.HandlerByTypeURL(sdk.MsgTypeURL(msg))(ctx, msg)
			require.EqualError(t, err, test.want)
		})
	}
	r := CommittedRouter(routed{}, ModuleName)
	require.Nil(t, r.Handler(&MsgUndelete{}), "x/gov refuses what nobody handles")
	result, err := r.Handler(&MsgKeyDelete{})(sdk.Context{}, &MsgKeyDelete{})
	require.NoError(t, err)
	require.Equal(t, "done", result.Log)
}
