package mpc

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/cosmos/cosmos-sdk/client"
	sdk "github.com/cosmos/cosmos-sdk/types"
	grpctypes "github.com/cosmos/cosmos-sdk/types/grpc"
	govcli "github.com/cosmos/cosmos-sdk/x/gov/client/cli"
	govv1 "github.com/cosmos/cosmos-sdk/x/gov/types/v1"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// hasGov says whether the chain of a program has proposals at all: what a program does not know
// it does not encode either.
func hasGov(cmd *cobra.Command) error {
	registry := client.GetClientContextFromCmd(cmd).InterfaceRegistry
	if registry == nil {
		return nil
	}
	if _, err := registry.Resolve(sdk.MsgTypeURL(&govv1.MsgSubmitProposal{})); err != nil {
		return fmt.Errorf("this chain has no x/gov; its authority asks itself: %s", ownersCommand(cmd, ""))
	}
	return nil
}

// ownersCommand is what an owner, or an authority that is an account, types for a proposal.
func ownersCommand(cmd *cobra.Command, authority string) string {
	return strings.TrimSuffix(cmd.CommandPath(), "-proposal") + " --from " + cmp.Or(authority, "AUTHORITY")
}

// errNotAuthority is of a chain whose proposals are not carried out. Who is its authority is not
// always known.
func errNotAuthority(cmd *cobra.Command, gov, authority, keyID string) error {
	return fmt.Errorf("x/gov (%s) is not the authority of this chain, so none of its proposals about key %s is carried out; the authority asks itself: %s",
		gov, keyID, ownersCommand(cmd, authority))
}

// keyOfProposal is the key that a proposal decides about, if those of x/gov do, and the block in
// which it is so.
func keyOfProposal(cmd *cobra.Command, clientCtx client.Context, gov, keyID string) (types.Key, int64, error) {
	key, height, err := keyInBlock(cmd.Context(), clientCtx, keyID)
	if err != nil {
		return types.Key{}, 0, err
	}
	may, authority, err := mayDecide(cmd.Context(), clientCtx, &types.MsgKeyReshare{
		Requester: gov, KeyId: keyID, Threshold: key.Threshold, Participants: key.Participants,
	}, key)
	if err == nil && !may {
		err = errNotAuthority(cmd, gov, authority, keyID)
	}
	return key, height, err
}

// keyInBlock asks for a key, and the block of the answer; 0 if the node does not say it.
func keyInBlock(ctx context.Context, clientCtx client.Context, keyID string) (types.Key, int64, error) {
	var header metadata.MD
	answer, err := types.NewQueryClient(clientCtx).Key(ctx, &types.QueryKeyRequest{KeyId: keyID}, grpc.Header(&header))
	if err != nil {
		return types.Key{}, 0, fmt.Errorf("ask for key %s: %w", keyID, err)
	}
	return answer.Key, heightOf(header), nil
}

func heightOf(header metadata.MD) int64 {
	values := header.Get(grpctypes.GRPCBlockHeightHeader)
	if len(values) == 0 {
		return 0
	}
	height, err := strconv.ParseInt(values[0], 10, 64)
	if err != nil {
		return 0
	}
	return height
}

// checkDeletion refuses the deletion of what is deleted for ever. One that is on its way may be
// taken back before the vote is over.
func checkDeletion(cmd *cobra.Command, _ client.Context, key types.Key, _ int64) error {
	switch key.Status {
	case types.KEY_STATUS_DELETED:
		return key.Over()
	case types.KEY_STATUS_DELETING:
		cmd.PrintErrf("if this passed now it would change nothing: key %s is %s, and by itself DELETED in block %d\n", key.Id, key.Status, key.RetireHeight)
	}
	return nil
}

// checkUndeletion refuses to take back what nobody can any more, and says how long that can be done.
func checkUndeletion(cmd *cobra.Command, clientCtx client.Context, key types.Key, height int64) error {
	if err := key.Over(); err != nil {
		return err
	}
	if key.Status != types.KEY_STATUS_DELETING {
		cmd.PrintErrf("if this passed now it would be refused: key %s is %s, there is no deletion to take back\n", key.Id, key.Status)
		return nil
	}
	vote, err := voteTakes(cmd, clientCtx)
	if err != nil {
		return err
	}
	left := ""
	if height > 0 {
		left = fmt.Sprintf(", %d blocks from now", max(0, key.RetireHeight-height))
	}
	cmd.PrintErrf("key %s becomes DELETED for ever in block %d%s; a vote takes %s once the deposit is whole, and must be over before that block\n",
		key.Id, key.RetireHeight, left, vote)
	return nil
}

// voteTakes is how long the chain votes on the proposal that the command makes.
func voteTakes(cmd *cobra.Command, clientCtx client.Context) (string, error) {
	expedited, err := cmd.Flags().GetBool(govcli.FlagExpedited)
	if err != nil {
		return "", err
	}
	answer, err := govv1.NewQueryClient(clientCtx).Params(cmd.Context(), &govv1.QueryParamsRequest{})
	if err != nil {
		return "", fmt.Errorf("ask how long a vote takes: %w", err)
	}
	period := answer.GetParams().GetVotingPeriod()
	if expedited {
		period = answer.GetParams().GetExpeditedVotingPeriod()
	}
	if period == nil {
		return "as long as query gov params says", nil
	}
	return period.String(), nil
}

// checkCancellation refuses to give up a reshare that is decided.
func checkCancellation(cmd *cobra.Command, clientCtx client.Context, gov, reshareID string) error {
	answer, err := types.NewQueryClient(clientCtx).Reshare(cmd.Context(), &types.QueryReshareRequest{ReshareId: reshareID})
	if err != nil {
		return fmt.Errorf("ask for reshare %s: %w", reshareID, err)
	}
	reshare := answer.Reshare
	if !reshare.Open() {
		return types.ErrAlreadyDecided.Wrapf("reshare %s is %s, there is nothing to give up", reshare.Id, reshare.Status)
	}
	_, _, err = keyOfProposal(cmd, clientCtx, gov, reshare.KeyId)
	return err
}

// checkReshare says why a reshare would be refused if the proposal passed now. That may be over
// when it does, unless x/gov is not the authority, or the key never signs again.
func checkReshare(cmd *cobra.Command, clientCtx client.Context, msg *types.MsgKeyReshare) error {
	if err := msg.ValidateBasic(); err != nil {
		return err
	}
	key, _, err := keyOfProposal(cmd, clientCtx, msg.Requester, msg.KeyId)
	if err != nil {
		return err
	}
	if err := key.Over(); err != nil {
		return err
	}
	when := "if this passed now"
	reason, err := refusal(cmd.Context(), clientCtx, msg)
	// No authority is refused for these: this node's queries do not know x/gov for one.
	if err == nil && hasReason(reason, mpctypes.ErrNotOwner, mpctypes.ErrNotRequester, mpctypes.ErrFeeNotPaid) {
		when = "if the owner of the key asked for this now"
		owners := *msg
		owners.Requester = ""
		reason, err = refusal(cmd.Context(), clientCtx, &owners)
	}
	if err != nil || reason == "" {
		return err
	}
	cmd.PrintErrf("%s it would be refused: %s\n", when, reason)
	return nil
}
