package mpc

import (
	"context"
	"fmt"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/cosmos/cosmos-sdk/client"
	consensustypes "github.com/cosmos/cosmos-sdk/x/consensus/types"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// mayDecide says whether the chain takes from an account what a key's owner and the authority
// may, and which authority its consensus parameters name, if that was asked for.
func mayDecide(ctx context.Context, clientCtx client.Context, msg *types.MsgKeyReshare, key types.Key) (may bool, named string, err error) {
	if key.Owner == msg.Requester {
		return true, "", nil
	}
	named, err = namedAuthority(ctx, clientCtx)
	if err != nil || named != "" {
		return named == msg.Requester, named, err
	}
	// Whose business a key is comes before all else of it, and is the same for all messages.
	reason, err := refusal(ctx, clientCtx, msg)
	return err == nil && !hasReason(reason, mpctypes.ErrNotOwner), "", err
}

// namedAuthority is the authority that the consensus parameters name; empty if they name none.
// In blocks sdk.ValidateAuthority takes it in place of the keeper's. In queries it cannot, their
// contexts have no consensus parameters: so what the module answers is about the keeper's.
func namedAuthority(ctx context.Context, clientCtx client.Context) (string, error) {
	answer, err := consensustypes.NewQueryClient(clientCtx).Params(ctx, &consensustypes.QueryParamsRequest{})
	switch {
	case err != nil && isNoService(err):
		return "", nil
	case err != nil:
		return "", fmt.Errorf("ask which authority the consensus parameters name: %w", err)
	}
	return answer.GetParams().GetAuthority().GetAuthority(), nil
}

// isNoService knows what a node without a service answers, by gRPC and by its RPC.
func isNoService(err error) bool {
	return status.Code(err) == codes.Unimplemented || strings.Contains(err.Error(), "unknown query path")
}

// refusal is why the chain would refuse a reshare now, by what its queries know; empty if it
// would not.
func refusal(ctx context.Context, clientCtx client.Context, msg *types.MsgKeyReshare) (string, error) {
	answer, err := types.NewQueryClient(clientCtx).CanReshare(ctx, &types.QueryCanReshareRequest{
		KeyId: msg.KeyId, Requester: msg.Requester, Threshold: msg.Threshold, Participants: msg.Participants,
	})
	if err != nil {
		return "", fmt.Errorf("ask whether key %s can be reshared: %w", msg.KeyId, err)
	}
	if answer.Ok {
		return "", nil
	}
	return answer.Reason, nil
}

// hasReason knows a reason in what a node of any version answers.
func hasReason(answer string, reasons ...mpctypes.Reason) bool {
	for _, reason := range reasons {
		if strings.Contains(answer, ": "+string(reason)+": ") {
			return true
		}
	}
	return false
}
