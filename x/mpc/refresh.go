package mpc

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/client/flags"
	"github.com/cosmos/cosmos-sdk/client/tx"
	"github.com/cosmos/cosmos-sdk/version"

	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// errRefreshOffline: a message without participants would be one to all bonded validators.
var errRefreshOffline = errors.New("who has the key is asked of a node, which --offline forbids; leave --offline away (--generate-only sends nothing either), " +
	"or name them, as \"query mpc key\" showed them: tx mpc reshare, or reshare-proposal, RESHARE_ID KEY_ID THRESHOLD --participants OPERATOR,OPERATOR")

// refreshCommand is `tx mpc refresh`. It is a command of its own beside `reshare`, of the same
// message: whoever wants nothing but fresh shares must not have to name who holds the key,
// for who forgets to gives it to all bonded validators.
func refreshCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "refresh [reshare-id] [key-id]",
		Short: "Ask for new shares of a key for the participants that it has",
		Long: "Ask for new shares of a key for the participants that it has, of which as many sign as before. " +
			"A participant that lost its share gets one again, and shares of before are worth nothing once they are destroyed. The public key stays. " +
			"A node is asked who they are, so it needs one also with --generate-only. " +
			"The message names them, and no epoch: signed days later, as by a multisig, it puts the key back to those who had it when it was made, whoever has it then. " +
			"Make it anew if the key was reshared meanwhile (query mpc key: epoch). " +
			"Each of them must be there, bonded and registered. To leave one out, or take others: " + version.AppName + " tx mpc reshare RESHARE_ID KEY_ID THRESHOLD --participants OPERATOR,OPERATOR. " +
			"A key that a module owns is refreshed by governance: " + version.AppName + " tx mpc refresh-proposal.",
		Example: example("tx mpc refresh treasury-2 treasury --from requester --gas auto --gas-adjustment 1.5"),
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			clientCtx, err := client.GetClientTxContext(cmd)
			if err != nil {
				return err
			}
			cmd.SilenceUsage = true
			msg, key, err := refreshMessage(cmd.Context(), clientCtx, clientCtx.GetFromAddress().String(), args[0], args[1])
			if err != nil {
				return err
			}
			if err := mayRefresh(cmd.Context(), clientCtx, msg, key); err != nil {
				return err
			}
			return tx.GenerateOrBroadcastTxCLI(clientCtx, cmd.Flags(), msg)
		},
	}
	flags.AddTxFlagsToCmd(cmd)
	return cmd
}

// refreshMessage is the reshare of a key to the participants and the threshold that it has on
// chain.
func refreshMessage(ctx context.Context, clientCtx client.Context, requester, reshareID, keyID string) (*types.MsgKeyReshare, types.Key, error) {
	if clientCtx.Offline {
		return nil, types.Key{}, errRefreshOffline
	}
	answer, err := types.NewQueryClient(clientCtx).Key(ctx, &types.QueryKeyRequest{KeyId: keyID})
	if err != nil {
		return nil, types.Key{}, fmt.Errorf("ask who has key %s: %w", keyID, err)
	}
	// All else the chain says, which takes the same request twice for one.
	if err := answer.Key.CanSign(); err != nil {
		return nil, types.Key{}, err
	}
	return &types.MsgKeyReshare{
		Requester: requester, ReshareId: reshareID, KeyId: keyID,
		Threshold: answer.Key.Threshold, Participants: answer.Key.Participants,
	}, answer.Key, nil
}

// mayRefresh says whose the key is, and what to type instead, to one who is neither its owner nor
// the authority, before anything is sent or paid.
func mayRefresh(ctx context.Context, clientCtx client.Context, msg *types.MsgKeyReshare, key types.Key) error {
	may, authority, err := mayDecide(ctx, clientCtx, msg, key)
	if err != nil || may {
		return err
	}
	what := fmt.Sprintf("to have it decided by vote: %s tx mpc refresh-proposal %s %s --title TITLE --summary WHY --deposit AMOUNT --from %s",
		version.AppName, msg.ReshareId, msg.KeyId, msg.Requester)
	if authority != "" && authority != govAddress() {
		what = fmt.Sprintf("the authority of this chain may: %s tx mpc refresh %s %s --from %s", version.AppName, msg.ReshareId, msg.KeyId, authority)
	}
	return types.ErrNotOwner.Wrapf("%s, and not to %s; %s", key.Belongs(), msg.Requester, what)
}
