package settlement

import (
	autocliv1 "cosmossdk.io/api/cosmos/autocli/v1"

	"github.com/cosmos/cosmos-sdk/version"
)

const (
	msgService   = "sequencer.settlement.v1.Msg"
	queryService = "sequencer.settlement.v1.Query"
)

// AutoCLIOptions describes the commands `query settlement` and `tx settlement`. Receipts
// are not among them: the relay reports what it saw.
func (AppModule) AutoCLIOptions() *autocliv1.ModuleOptions {
	return &autocliv1.ModuleOptions{
		Query: &autocliv1.ServiceCommandDescriptor{Service: queryService, RpcCommandOptions: queryCommands()},
		Tx:    &autocliv1.ServiceCommandDescriptor{Service: msgService, RpcCommandOptions: txCommands()},
	}
}

func queryCommands() []*autocliv1.RpcCommandOptions {
	return []*autocliv1.RpcCommandOptions{
		{RpcMethod: "Params", Use: "params", Short: "Show the parameters"},
		{RpcMethod: "Lines", Use: "lines", Short: "Show, of each purpose, its key and its next batch"},
		{RpcMethod: "Keys", Use: "keys", Short: "List the module's keys with their addresses"},
		{
			RpcMethod: "Proposals", Use: "proposals [purpose]", Short: "List who proposed what for the next batch",
			Example: example("query settlement proposals state"), PositionalArgs: arguments("purpose"),
		},
		{
			RpcMethod: "Batch", Use: "batch [purpose] [number]", Short: "Show a batch and the transaction that settles it",
			Example: example("query settlement batch state 1"), PositionalArgs: arguments("purpose", "number"),
		},
		{
			RpcMethod: "Batches", Use: "batches [purpose]", Short: "List the batches of a purpose",
			Example: example("query settlement batches state"), PositionalArgs: arguments("purpose"),
		},
		{
			RpcMethod: "Transaction", Use: "transaction [id]", Short: "Show a transaction, and who reported what of it",
			PositionalArgs: arguments("id"),
		},
		{RpcMethod: "Transactions", Use: "transactions", Short: "List all transactions"},
		{RpcMethod: "Open", Use: "open", Short: "List the transactions that wait for inclusion"},
	}
}

func txCommands() []*autocliv1.RpcCommandOptions {
	return []*autocliv1.RpcCommandOptions{
		{
			RpcMethod: "ProposeBatch", Use: "propose [purpose] [first-block] [last-block] [state-root]", Short: "Propose the next batch of a purpose",
			Long: "Propose, as the operator of a bonded validator, the next batch of a purpose. It is accepted when validators with more " +
				"than two thirds of the power propose the same. Proposing again replaces what was proposed before.",
			Example: example("tx settlement propose state 1 100 " +
				"9c185769425f985f6e2e625f095067a174e7dcd4d0e53cdcba1d6f9734d39701 --from validator --gas auto --gas-adjustment 1.5"),
			PositionalArgs: arguments("purpose", "first_block", "last_block", "state_root"),
		},
		{
			RpcMethod: "BumpFee", Use: "bump-fee [transaction-id]", Short: "Have a transaction signed again, with a higher fee if it was signed",
			Example:        example("tx settlement bump-fee 1 --from validator --gas auto --gas-adjustment 1.5"),
			PositionalArgs: arguments("transaction_id"),
		},
		{RpcMethod: "ReportReceipt", Skip: true},
		{
			RpcMethod: "MakeKey", Use: "make-key-proposal [key-id] [threshold]", Short: "Propose a new key by governance",
			Long: "Propose a new key by governance. Its id begins with settlement: and it takes over the purposes that are named " +
				"as soon as it is READY: so keys are rotated.",
			Example:        example("tx settlement make-key-proposal settlement:state-2 2 --takes state --title rotate --summary 'another key' --deposit 10000000useq --from validator"),
			PositionalArgs: arguments("key_id", "threshold"), GovProposal: true,
		},
		{
			RpcMethod: "SetPurpose", Use: "set-purpose-proposal [purpose] [key-id]", Short: "Propose by governance that another key signs for a purpose",
			PositionalArgs: arguments("purpose", "key_id"), GovProposal: true,
		},
		{
			RpcMethod: "ResubmitBatch", Use: "resubmit-proposal [purpose] [batch]", Short: "Propose by governance another transaction of a batch that reverted",
			PositionalArgs: arguments("purpose", "batch"), GovProposal: true,
		},
		{
			RpcMethod: "UpdateParams", Use: "update-params-proposal [params]", Short: "Propose new parameters by governance",
			Long: "Propose new parameters by governance. All of them must be given; see the ones in force with " + version.AppName +
				" query settlement params.",
			PositionalArgs: arguments("params"), GovProposal: true,
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
