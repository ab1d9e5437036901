package types

import (
	"errors"
	"slices"

	errorsmod "cosmossdk.io/errors"

	sdk "github.com/cosmos/cosmos-sdk/types"
)

// MessageRouter is what x/gov finds the handlers of messages with: baseapp's.
type MessageRouter interface {
	// Handler executes messages of the type of this one; nil if none does.
	Handler(msg sdk.Msg) func(ctx sdk.Context, msg sdk.Msg) (*sdk.Result, error)
	// HandlerByTypeURL is the same by the name of the type.
	HandlerByTypeURL(typeURL string) func(ctx sdk.Context, msg sdk.Msg) (*sdk.Result, error)
}

// CommittedRouter is a router for x/gov with which errors of some codespaces have a text that is
// the same on all nodes, see CommittedErrors. Those know nothing of what a message itself refuses,
// before its service is asked: x/gov looks at that when a proposal is made, but not into a
// MsgExec of x/authz, and a later version may refuse more.
func CommittedRouter(router MessageRouter, codespaces ...string) MessageRouter {
	return committedRouter{router, codespaces}
}

type committedRouter struct {
	router     MessageRouter
	codespaces []string
}

// Handler implements MessageRouter.
func (r committedRouter) Handler(msg sdk.Msg) func(sdk.Context, sdk.Msg) (*sdk.Result, error) {
	return r.wrap(r.router.Handler(msg))
}

// HandlerByTypeURL implements MessageRouter.
func (r committedRouter) HandlerByTypeURL(typeURL string) func(sdk.Context, sdk.Msg) (*sdk.Result, error) {
	return r.wrap(r.router.HandlerByTypeURL(typeURL))
}

func (r committedRouter) wrap(handle func(sdk.Context, sdk.Msg) (*sdk.Result, error)) func(sdk.Context, sdk.Msg) (*sdk.Result, error) {
	if handle == nil {
		return nil // nobody handles it, which x/gov looks for
	}
	return func(ctx sdk.Context, msg sdk.Msg) (*sdk.Result, error) {
		result, err := handle(ctx, msg)
		var registered *errorsmod.Error
		if errors.As(err, &registered) && slices.Contains(r.codespaces, registered.Codespace()) {
			err = committed(ctx, sdk.MsgTypeURL(msg), err)
		}
		return result, err
	}
}
