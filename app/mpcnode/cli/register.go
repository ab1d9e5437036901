package cli

import (
	"crypto/ed25519"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/server"
	genutiltypes "github.com/cosmos/cosmos-sdk/x/genutil/types"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/storage"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

func registerCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "register",
		Short: "Register this node's newest identity key for the validator of --from",
		Long: `Registers the newest identity key of this node on chain for the validator whose
operator signs (--from), with a proof that this node has the key. From then on
the validator can be chosen for keys. Registering again rotates the key.

Call it on the node of the validator alone: an identity of a sentry that is registered
takes the place of the one that the validator's node has.`,
		Example: "  sequencerd mpc register --from alice --chain-id CHAIN",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f, err := filesOf(cmd)
			if err != nil {
				return err
			}
			if err := f.needIdentity(); err != nil {
				return err
			}
			ctx, operator, err := operatorOf(cmd)
			if err != nil {
				return err
			}
			key, proof, err := proveIdentity(f, ctx.ChainID, operator)
			if err != nil {
				return err
			}
			return send(ctx, cmd, &mpctypes.MsgRegisterParticipant{
				Operator: string(operator), IdentityKey: key, ProofOfPossession: proof,
			})
		},
	}
	addTxFlags(cmd)
	addPassphraseFlag(cmd, forThisCommand)
	return cmd
}

func revokeCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "revoke",
		Short: "Revoke all identities of the validator of --from",
		Long: `Revokes all identities of the validator whose operator signs (--from). Every open
request that it takes part in fails at once. For a key that may be in the wrong
hands; to change it in good order, rotate it.

A revoked identity key is never registered again. To take part again, make a new
one first:

  1. sequencerd mpc identity rotate,
  2. start the node again, so that it has the key,
  3. sequencerd mpc register --from KEY.`,
		Example: "  sequencerd mpc revoke --from alice --chain-id CHAIN",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, operator, err := operatorOf(cmd)
			if err != nil {
				return err
			}
			return send(ctx, cmd, &mpctypes.MsgRevokeParticipant{Operator: string(operator)})
		},
	}
	addTxFlags(cmd)
	return cmd
}

// operatorOf finds the validator whose operator --from names.
func operatorOf(cmd *cobra.Command) (client.Context, types.Operator, error) {
	ctx, err := client.GetClientTxContext(cmd)
	switch {
	case err != nil:
		return ctx, "", err
	case ctx.ChainID == "":
		return ctx, "", errors.New("the chain id is not known; give --chain-id, or set it in client.toml")
	case ctx.FromAddress.Empty():
		return ctx, "", errors.New("give the validator's operator account: --from KEY")
	}
	operator, err := operators(ctx).BytesToString(ctx.FromAddress)
	return ctx, types.Operator(operator), err
}

// proveIdentity signs, with the newest identity key of a node, that the node
// has it.
func proveIdentity(f nodeFiles, chainID string, operator types.Operator) (ed25519.PublicKey, []byte, error) {
	passphrase, err := f.readPassphrase()
	if err != nil {
		return nil, nil, err
	}
	defer types.Wipe(passphrase)
	identity, err := storage.LoadIdentity(f.paths.Identity, passphrase)
	if err != nil {
		return nil, nil, err
	}
	defer identity.Wipe()
	public, proof := mpcnode.ProveIdentity(identity.Current(), chainID, operator)
	return public, proof, nil
}

func addGenesisParticipantCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "add-genesis-participant [operator]",
		Short: "Add this node's identity to its genesis file",
		Long: `Adds the newest identity key of this node to the genesis file in its home, for the
validator with this operator address. The validators of a new
chain pass the file on, as they do for gentx, each adding its own.`,
		Example: "  sequencerd mpc add-genesis-participant $(sequencerd keys show alice --bech val -a)",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := filesOf(cmd)
			if err != nil {
				return err
			}
			if err := checkOperator(cmd, args[0]); err != nil {
				return err
			}
			if err := f.needIdentity(); err != nil {
				return err
			}
			path := server.GetServerContextFromCmd(cmd).Config.GenesisFile()
			genesis, err := genutiltypes.AppGenesisFromFile(path)
			if err != nil {
				return fmt.Errorf("read the genesis file: %w", err)
			}
			operator := types.Operator(args[0])
			key, proof, err := proveIdentity(f, genesis.ChainID, operator)
			if err != nil {
				return err
			}
			if genesis.AppState, err = mpcnode.AddGenesisParticipant(client.GetClientContextFromCmd(cmd).Codec, genesis.AppState, operator, key, proof); err != nil {
				return err
			}
			if err := genesis.SaveAs(path); err != nil {
				return fmt.Errorf("write the genesis file: %w", err)
			}
			cmd.Printf("added %s to %s\n", operator, path)
			return nil
		},
	}
	addPassphraseFlag(cmd, forThisCommand)
	return cmd
}
