package types

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/log/v2"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	sdk "github.com/cosmos/cosmos-sdk/types"
	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"
)

// failing answers messages with an error.
type failing struct {
	MsgServer
	err error
}

func (f failing) KeyDelete(context.Context, *MsgKeyDelete) (*MsgKeyDeleteResponse, error) {
	if f.err != nil {
		return nil, f.err
	}
	return &MsgKeyDeleteResponse{RetireHeight: 7}, nil
}

// services keeps what is registered.
type services struct {
	desc   *grpc.ServiceDesc
	server any
}

func (s *services) RegisterService(desc *grpc.ServiceDesc, server any) {
	s.desc, s.server = desc, server
}

// call has a message executed as baseapp does.
func (s *services) call(ctx sdk.Context, method string) (any, error) {
	for _, m := range s.desc.Methods {
		if m.MethodName == method {
			return m.Handler(s.server, ctx, func(any) error { return nil }, nil)
		}
	}
	return nil, errors.New("there is no such method")
}

// What x/gov stores of an error has neither a detail nor a remedy, whatever the program's name
// and version; a transaction has all of it, and so has the log.
func TestCommittedErrors(t *testing.T) {
	for name, test := range map[string]struct {
		err  error
		want string
	}{
		"with a detail":           {ErrNotOwner.Wrapf("key %s belongs to %s", "k", "vault"), "not_owner (mpc 19): the log of each node says more"},
		"in another error":        {fmt.Errorf("do: %w", ErrUnknownKey.Wrap("k")), "unknown_key (mpc 15): the log of each node says more"},
		"without one":             {ErrBadParams, "bad_params (mpc 24): the log of each node says more"},
		"of the SDK":              {errorsmod.Wrap(sdkerrors.ErrInsufficientFunds, "1useq"), "insufficient funds (sdk 5): the log of each node says more"},
		"that nobody registered":  {errors.New("disk full in /home/x"), "internal (no code): the log of each node says more"},
		"a reason of no register": {context.Canceled, "internal (no code): the log of each node says more"},
	} {
		t.Run(name, func(t *testing.T) {
			var s services
			RegisterMsgServer(CommittedErrors(&s), failing{err: test.err})
			var logged bytes.Buffer
			ctx := sdk.Context{}.WithContext(t.Context()).WithLogger(log.NewLogger(&logged, log.OutputJSONOption()))

			_, err := s.call(ctx, "KeyDelete")
			require.EqualError(t, err, test.want)
			require.ErrorIs(t, err, test.err)
			require.Contains(t, logged.String(), "sequencer.mpc.v1.Msg/KeyDelete")
			require.Contains(t, logged.String(), test.err.Error())

			_, err = s.call(ctx.WithTxBytes([]byte{1}), "KeyDelete")
			require.Equal(t, test.err, err)
		})
	}
	var s services
	RegisterMsgServer(CommittedErrors(&s), failing{})
	answer, err := s.call(sdk.Context{}, "KeyDelete")
	require.NoError(t, err)
	require.Equal(t, &MsgKeyDeleteResponse{RetireHeight: 7}, answer)
	require.Len(t, s.desc.Methods, len(_Msg_serviceDesc.Methods))
}

// A reason that x/gov stored is read for ever, and by other programs.
func TestReasonsOfCommittedErrors(t *testing.T) {
	for _, r := range registered {
		require.Equal(t, fmt.Sprintf("%s (mpc %d): the log of each node says more", r.reason, r.err.ABCICode()), committedError{r.err}.Error())
	}
}
