package mpc

import (
	autocliv1 "cosmossdk.io/api/cosmos/autocli/v1"

	"github.com/cosmos/cosmos-sdk/version"
)

const (
	msgService   = "sequencer.mpc.v1.Msg"
	queryService = "sequencer.mpc.v1.Query"
)

// AutoCLIOptions describes the commands `query mpc` and `tx mpc`. Registering a
// participant is not among them: it needs the identity's private key for the proof
// of possession, so the node's own `mpc register` does it.
func (AppModule) AutoCLIOptions() *autocliv1.ModuleOptions {
	return &autocliv1.ModuleOptions{
		Query: &autocliv1.ServiceCommandDescriptor{Service: queryService, RpcCommandOptions: queryCommands()},
		// GetTxCmd has what a message's fields alone do not make a command of.
		Tx: &autocliv1.ServiceCommandDescriptor{Service: msgService, RpcCommandOptions: txCommands(), EnhanceCustomCommand: true},
	}
}

func queryCommands() []*autocliv1.RpcCommandOptions {
	return []*autocliv1.RpcCommandOptions{
		{RpcMethod: "Params", Use: "params", Short: "Show the parameters"},
		{
			RpcMethod: "Participant", Use: "participant [operator]", Short: "Show a validator's MPC identities",
			PositionalArgs: arguments("operator"),
		},
		{RpcMethod: "Participants", Use: "participants", Short: "List all who ever registered"},
		{
			RpcMethod: "Key", Use: "key [key-id]", Short: "Show a key with its addresses on other chains",
			PositionalArgs: arguments("key_id"),
		},
		{
			RpcMethod: "Keys", Use: "keys", Short: "List keys, by owner or status if given",
			Example: example("query mpc keys --status ready"),
		},
		{
			RpcMethod: "Signature", Use: "signature [signature-id]", Short: "Show a signature",
			PositionalArgs: arguments("signature_id"),
		},
		{
			RpcMethod: "Signatures", Use: "signatures [key-id]", Short: "List the signatures of a key",
			PositionalArgs: arguments("key_id"),
		},
		{
			RpcMethod: "Reshare", Use: "reshare [reshare-id]", Short: "Show a reshare with who attested so far",
			PositionalArgs: arguments("reshare_id"),
		},
		{
			RpcMethod: "Reshares", Use: "reshares", Short: "List reshares, by key or status if given",
			Example: example("query mpc reshares --key-id treasury --status ready"),
		},
		{RpcMethod: "PendingRequests", Use: "pending", Short: "List open requests with their pinned members"},
		{
			RpcMethod: "Faults", Use: "faults", Short: "List what is held against participants, all or one of them",
			Example: example("query mpc faults --participant OPERATOR"),
		},
		{
			RpcMethod: "CanKeyGen", Use: "can-keygen [threshold]", Short: "Say whether a key could be asked for now, and by whom it would be made",
			Example:        example("query mpc can-keygen 2"),
			PositionalArgs: arguments("threshold"),
		},
		{
			RpcMethod: "CanSign", Use: "can-sign [key-id]", Short: "Say whether a signature could be asked for now",
			PositionalArgs: arguments("key_id"),
		},
		{
			RpcMethod: "CanReshare", Use: "can-reshare [key-id] [threshold]", Short: "Say whether a reshare could be asked for now, and to whom",
			Example:        example("query mpc can-reshare treasury 2"),
			PositionalArgs: arguments("key_id", "threshold"),
		},
	}
}

func txCommands() []*autocliv1.RpcCommandOptions {
	return []*autocliv1.RpcCommandOptions{
		{RpcMethod: "RegisterParticipant", Skip: true},
		{
			RpcMethod: "RevokeParticipant", Use: "revoke", Short: "Revoke the validator's MPC identity",
			Long: "Revoke all versions of the validator's MPC identity. Open requests that it takes part in take no result any more and fail. " +
				"It cannot be undone. To take part again, make a new identity first: " + version.AppName + " mpc identity rotate, " +
				"start the node again, then " + version.AppName + " mpc register.",
			Example: example("tx mpc revoke --from validator --gas auto --gas-adjustment 1.5"),
		},
		{
			RpcMethod: "KeyGen", Use: "keygen [key-id] [algorithm] [threshold]", Short: "Ask for a key that threshold+1 participants can sign with",
			Example:        example("tx mpc keygen treasury ecdsa-secp256-k1 2 --from requester --gas auto --gas-adjustment 1.5"),
			PositionalArgs: arguments("key_id", "algorithm", "threshold"),
			FlagOptions: map[string]*autocliv1.FlagOptions{
				"participants": {Usage: "operator addresses; all bonded registered validators by power if not given"},
				"allow_raw":    {Usage: "let it sign digests of which nobody can say what they are of; for ever"},
			},
		},
		{
			RpcMethod: "KeySign", Use: "sign [signature-id] [key-id] [digest]", Short: "Ask for a signature over a digest",
			Long: "Ask for a signature over a digest: 32 bytes in hex, signed as they are, by a key that was made with --allow-raw. " +
				"Nobody can say what it is of: sign-payload asks for something that every participant decodes first.",
			Example:        example("tx mpc sign payment-1 treasury 9c185769425f985f6e2e625f095067a174e7dcd4d0e53cdcba1d6f9734d39701 --from requester --gas auto --gas-adjustment 1.5"),
			PositionalArgs: arguments("signature_id", "key_id", "payload.digest"),
		},
		{
			RpcMethod: "KeyDelete", Use: "delete [key-id]", Short: "Decide that a key is destroyed",
			Long: "Decide that a key is destroyed: it signs nothing from then on, and is DELETED retire_blocks later. " +
				"Until then it can be taken back (undelete), never afterwards. Its shares go as many blocks after that.",
			Example:        example("tx mpc delete treasury --from requester --gas auto --gas-adjustment 1.5"),
			PositionalArgs: arguments("key_id"),
		},
		{
			RpcMethod: "Undelete", Use: "undelete [key-id]", Short: "Take the deletion of a key back while it is DELETING",
			Long: "Take the deletion of a key back while it is DELETING: it signs again with the shares that it had. " +
				"Requests that the deletion failed stay failed.",
			Example:        example("tx mpc undelete treasury --from requester --gas auto --gas-adjustment 1.5"),
			PositionalArgs: arguments("key_id"),
		},
		{
			RpcMethod: "KeyReshare", Use: "reshare [reshare-id] [key-id] [threshold]", Short: "Ask for new shares of a key, of which threshold+1 sign",
			Long: "Ask for new shares of a key for the participants that are named. Where none is, all bonded registered validators get one, " +
				"up to max_participants, which can be many more than have the key now: for those that it has there is " + version.AppName + " tx mpc refresh. The public key stays. " +
				"The key signs with the old shares until the new ones have signed a test; if they never do, nothing has changed.",
			Example:        example("tx mpc reshare treasury-2 treasury 2 --participants OPERATOR,OPERATOR,OPERATOR --from requester --gas auto --gas-adjustment 1.5"),
			PositionalArgs: arguments("reshare_id", "key_id", "threshold"),
			FlagOptions: map[string]*autocliv1.FlagOptions{
				"participants": {Usage: "operator addresses of the new committee; all bonded registered validators by power if not given"},
			},
		},
		{
			RpcMethod: "CancelReshare", Use: "cancel-reshare [reshare-id]", Short: "Give up a reshare that is not decided",
			Example:        example("tx mpc cancel-reshare treasury-2 --from requester --gas auto --gas-adjustment 1.5"),
			PositionalArgs: arguments("reshare_id"),
		},
		{
			RpcMethod: "UpdateParams", Use: "update-params-proposal [params]", Short: "Propose new parameters",
			Long:           "Propose new parameters by governance. All of them must be given; see the ones in force with " + version.AppName + " query mpc params.",
			PositionalArgs: arguments("params"),
			GovProposal:    true,
		},
	}
}

func arguments(fields ...string) []*autocliv1.PositionalArgDescriptor {
	args := make([]*autocliv1.PositionalArgDescriptor, len(fields))
	for i, f := range fields {
		args[i] = &autocliv1.PositionalArgDescriptor{ProtoField: f}
	}
	return args
}

func example(command string) string { return "$ " + version.AppName + " " + command }
