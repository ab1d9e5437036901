package types

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	errorsmod "cosmossdk.io/errors"
	gogogrpc "github.com/cosmos/gogoproto/grpc"
	"google.golang.org/grpc"

	sdk "github.com/cosmos/cosmos-sdk/types"
)

// CommittedErrors registers the message services that are given to it so that what fails
// outside of a transaction has a text that is the same on all nodes.
//
// The text of a transaction's error is no part of consensus, but x/gov stores that of a
// message of a proposal that passed (failed_reason). Details and remedies change from version
// to version, and remedies with the name of the program (mpc/types.Program): two nodes of
// which would have different states. So there the text is the reason and its code, which
// never change; all of it is in the log.
func CommittedErrors(server gogogrpc.Server) gogogrpc.Server { return committedErrors{server} }

type committedErrors struct{ server gogogrpc.Server }

// RegisterService implements gogogrpc.Server.
func (c committedErrors) RegisterService(desc *grpc.ServiceDesc, server any) {
	own := *desc
	own.Methods = slices.Clone(desc.Methods)
	for i, m := range desc.Methods {
		own.Methods[i].Handler = func(server any, ctx context.Context, decode func(any) error, interceptor grpc.UnaryServerInterceptor) (any, error) {
			answer, err := m.Handler(server, ctx, decode, interceptor)
			return answer, committed(ctx, desc.ServiceName+"/"+m.MethodName, err)
		}
	}
	c.server.RegisterService(&own, server)
}

// committed is an error as it may become part of the state.
func committed(ctx context.Context, method string, err error) error {
	if err == nil {
		return nil
	}
	sdkCtx := sdk.UnwrapSDKContext(ctx)
	if already := (committedError{}); len(sdkCtx.TxBytes()) > 0 || errors.As(err, &already) {
		return err
	}
	sdkCtx.Logger().Warn("a message that is no transaction's was refused", "method", method, "err", err)
	return committedError{err}
}

// committedError has the text of an error's reason alone.
type committedError struct{ err error }

// Error implements error.
func (e committedError) Error() string {
	word, code := "internal", "no code"
	var registered *errorsmod.Error
	if errors.As(e.err, &registered) {
		word, _, _ = strings.Cut(registered.Error(), ": ")
		code = fmt.Sprintf("%s %d", registered.Codespace(), registered.ABCICode())
	}
	return fmt.Sprintf("%s (%s): the log of each node says more", word, code)
}

// Unwrap gives the error itself to errors.Is and errors.As.
func (e committedError) Unwrap() error { return e.err }
