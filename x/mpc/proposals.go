package mpc

import (
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/client/flags"
	"github.com/cosmos/cosmos-sdk/client/tx"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/version"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	govcli "github.com/cosmos/cosmos-sdk/x/gov/client/cli"
	govtypes "github.com/cosmos/cosmos-sdk/x/gov/types"

	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

const (
	flagParticipants = "participants"
	// proposalFlags are what the examples end with. What coin a deposit is of is the chain's matter.
	proposalFlags = " --title 'in short' --summary 'and why' --deposit AMOUNT --from proposer --gas auto --gas-adjustment 1.5"
)

// proposalCommands have x/gov do what a key's owner may: a module's account signs no
// transaction, and an owner may be gone. AutoCLI makes one command of a message, and those are
// the owners'.
func proposalCommands() []*cobra.Command {
	return []*cobra.Command{
		refreshProposal(), reshareProposal(), cancelReshareProposal(),
		ofKey(&cobra.Command{
			Use: "delete-proposal [key-id]", Short: "Propose by governance that a key is destroyed",
			Long: "Propose by governance that a key is destroyed, whoever owns it. It can be taken back for retire_blocks after the proposal " +
				"passed, by the owner, or by another proposal if that passes sooner.",
		}, checkDeletion, func(authority, keyID string) message { return &types.MsgKeyDelete{Requester: authority, KeyId: keyID} }),
		ofKey(&cobra.Command{
			Use: "undelete-proposal [key-id]", Short: "Propose by governance that the deletion of a key is taken back",
			Long: "Propose by governance that the deletion of a key is taken back, whoever owns it. The key must be DELETING still " +
				"when the proposal passes: retire_blocks after its deletion it is too late.",
		}, checkUndeletion, func(authority, keyID string) message { return &types.MsgUndelete{Requester: authority, KeyId: keyID} }),
	}
}

// govAddress is the account of x/gov, in whose name its proposals ask.
func govAddress() string { return authtypes.NewModuleAddress(govtypes.ModuleName).String() }

// message is one that the authority is to execute.
type message interface {
	sdk.Msg
	sdk.HasValidateBasic
}

func refreshProposal() *cobra.Command {
	cmd := &cobra.Command{
		Use: "refresh-proposal [reshare-id] [key-id]", Short: "Propose by governance new shares of a key for the participants that it has",
		Long: "Propose by governance new shares of a key for the participants that it has, whoever owns it (the owner types " + version.AppName + " tx mpc refresh). " +
			"A node is asked who they are, and the proposal names them. Each of them must be there, bonded and registered, when it passes, " +
			"and then the key goes back to them, whoever has it by then.",
		Example: example("tx mpc refresh-proposal state-1-fresh settlement:state-1" + proposalFlags),
		Args:    cobra.ExactArgs(2),
	}
	return proposing(cmd, func(cmd *cobra.Command, clientCtx client.Context, authority string, args []string) (message, error) {
		msg, _, err := refreshMessage(cmd.Context(), clientCtx, authority, args[0], args[1])
		if err != nil {
			return nil, err
		}
		return msg, checkReshare(cmd, clientCtx, msg)
	})
}

func reshareProposal() *cobra.Command {
	cmd := &cobra.Command{
		Use: "reshare-proposal [reshare-id] [key-id] [threshold]", Short: "Propose by governance new shares of a key, of which threshold+1 sign",
		Long: "Propose by governance new shares of a key for the participants that are named, whoever owns it (the owner types " + version.AppName + " tx mpc reshare). " +
			"Where none is named, all registered validators that are bonded when the proposal passes get one, up to max_participants.",
		Example: example("tx mpc reshare-proposal state-1-wider settlement:state-1 2 --participants OPERATOR,OPERATOR,OPERATOR" + proposalFlags),
		Args:    cobra.ExactArgs(3),
	}
	cmd.Flags().StringSlice(flagParticipants, nil, "operator addresses of the new committee; all bonded registered validators by power if not given")
	return proposing(cmd, func(cmd *cobra.Command, clientCtx client.Context, authority string, args []string) (message, error) {
		threshold, err := strconv.ParseUint(args[2], 10, 32)
		if err != nil {
			return nil, types.ErrBadThreshold.Wrapf("%q is no number", args[2])
		}
		participants, err := cmd.Flags().GetStringSlice(flagParticipants)
		if err != nil {
			return nil, err
		}
		msg := &types.MsgKeyReshare{Requester: authority, ReshareId: args[0], KeyId: args[1], Threshold: uint32(threshold), Participants: participants}
		if clientCtx.Offline {
			return msg, nil
		}
		return msg, checkReshare(cmd, clientCtx, msg)
	})
}

func cancelReshareProposal() *cobra.Command {
	cmd := &cobra.Command{
		Use: "cancel-reshare-proposal [reshare-id]", Short: "Propose by governance that a reshare that is not decided is given up",
		Long: "Propose by governance that a reshare that is not decided is given up, whoever owns the key. By itself it is over " +
			"after reshare_lifetime_blocks: see whether the voting ends before that.",
		Example: example("tx mpc cancel-reshare-proposal state-1-wider" + proposalFlags),
		Args:    cobra.ExactArgs(1),
	}
	return proposing(cmd, func(cmd *cobra.Command, clientCtx client.Context, authority string, args []string) (message, error) {
		if !clientCtx.Offline {
			if err := checkCancellation(cmd, clientCtx, authority, args[0]); err != nil {
				return nil, err
			}
		}
		return &types.MsgCancelReshare{Requester: authority, ReshareId: args[0]}, nil
	})
}

// ofKey makes the command that proposes a message about a key as such. check looks at the key as
// it is in a block: days of voting may be for nothing.
func ofKey(
	cmd *cobra.Command, check func(cmd *cobra.Command, clientCtx client.Context, key types.Key, height int64) error,
	build func(authority, keyID string) message,
) *cobra.Command {
	cmd.Args, cmd.Example = cobra.ExactArgs(1), example("tx mpc "+cmd.Name()+" settlement:state-1"+proposalFlags)
	return proposing(cmd, func(cmd *cobra.Command, clientCtx client.Context, authority string, args []string) (message, error) {
		if !clientCtx.Offline {
			key, height, err := keyOfProposal(cmd, clientCtx, authority, args[0])
			if err != nil {
				return nil, err
			}
			if err := check(cmd, clientCtx, key, height); err != nil {
				return nil, err
			}
		}
		return build(authority, args[0]), nil
	})
}

// proposing makes a command propose a message of the account of x/gov.
func proposing(
	cmd *cobra.Command, build func(cmd *cobra.Command, clientCtx client.Context, authority string, args []string) (message, error),
) *cobra.Command {
	flags.AddTxFlagsToCmd(cmd)
	govcli.AddGovPropFlagsToCmd(cmd)
	// The SDK leaves it away, for a command of another module that has such a flag.
	cmd.Flags().Bool(govcli.FlagExpedited, false, "vote for a shorter time (query gov params: expedited_voting_period), with a larger deposit and majority")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := hasGov(cmd); err != nil {
			cmd.SilenceUsage = true
			return err
		}
		clientCtx, err := client.GetClientTxContext(cmd)
		if err != nil {
			return err
		}
		cmd.SilenceUsage = true
		msg, err := build(cmd, clientCtx, govAddress(), args)
		if err != nil {
			return err
		}
		if err := msg.ValidateBasic(); err != nil {
			return err
		}
		proposal, err := govcli.ReadGovPropCmdFlags(clientCtx.GetFromAddress().String(), cmd.Flags())
		if err != nil {
			return err
		}
		if proposal.Expedited, err = cmd.Flags().GetBool(govcli.FlagExpedited); err != nil {
			return err
		}
		if err := proposal.SetMsgs([]sdk.Msg{msg}); err != nil {
			return fmt.Errorf("put the message into the proposal: %w", err)
		}
		return tx.GenerateOrBroadcastTxCLI(clientCtx, cmd.Flags(), proposal)
	}
	return cmd
}
