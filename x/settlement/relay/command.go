package relay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/rpc"
	"github.com/spf13/cobra"

	"cosmossdk.io/core/address"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/client/flags"
	"github.com/cosmos/cosmos-sdk/client/tx"
	sdk "github.com/cosmos/cosmos-sdk/types"
)

// Flags of the relay.
const (
	flagRPC           = "rpc"
	flagConfirmations = "confirmations"
	flagBumpAfter     = "bump-after"
	flagInterval      = "interval"
	flagOperator      = "operator"
)

// answersWithin is what a node of the other chain has for one answer: one that takes a
// question and says nothing must not hold up the relay.
const answersWithin = 30 * time.Second

// Command is "settlement relay". The codec is that of validator operators.
func Command(operators address.Codec) *cobra.Command {
	settlement := &cobra.Command{Use: "settlement", Short: "Settle this chain on another one"}
	settlement.AddCommand(relayCmd(operators))
	return settlement
}

func relayCmd(operators address.Codec) *cobra.Command {
	var (
		from    string
		options Options
		// bumpAfter has 32 bits, so that it can be added to any height.
		bumpAfter uint32
	)
	cmd := &cobra.Command{
		Use:   "relay",
		Short: "Send what is signed to the other chain, and report its receipts, until Ctrl-C",
		Long: `Sends the transactions that x/settlement has signed to a node of the other chain
(--rpc), asks for a higher fee where one waits too long, and reports receipts for the
validator whose operator signs (--from), or lets the account that signs speak for it
(--operator). Each validator runs one: what more than two thirds of the power report alike
is believed.

The operator's key can do anything with the validator, so leave it where it is: make an
account for the relay, give it coins for gas, and grant it what a relay sends by
tx authz grant. The relay says what to type where a grant is missing or has expired.

It keeps no state and no key of the other chain. It can be stopped and started at any
time; a node that is away is waited for. The gas of its messages is simulated.

What is reported is believed for ever. So a receipt is reported when the other chain calls
its block final, on Ethereum a quarter of an hour after it. A chain whose nodes know of no
final blocks needs --confirmations with as many blocks as it never takes back.

Everybody on the machine can read a command line. Where the URL of --rpc has a key in it,
name a variable that has it (env:NAME), or a file that nobody else can read (file:PATH).`,
		Example: `  sequencerd settlement relay --rpc http://localhost:8545 --from relay --operator OPERATOR --chain-id CHAIN
  sequencerd settlement relay --rpc http://localhost:8545 --from validator --chain-id CHAIN`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			options.BumpAfter = uint64(bumpAfter)
			return relay(cmd, operators, from, options)
		},
	}
	flags.AddTxFlagsToCmd(cmd)
	cmd.Flags().StringVar(&from, flagRPC, "", "URL of a node of the other chain; env:NAME or file:PATH where it stands, if it has a key in it")
	cmd.Flags().Var((*confirmations)(&options.Confirmations), flagConfirmations,
		"how many blocks a receipt must have, its own included, before it is reported; "+finalized+": until the other chain calls its block final")
	cmd.Flags().Uint32Var(&bumpAfter, flagBumpAfter, 20, "blocks of the other chain after which more is offered for a transaction, or a signature that failed is asked for again, which waits for them 10 minutes at most")
	cmd.Flags().StringVar(&options.Operator, flagOperator, "", "address of the validator's operator, where --from is another account that it lets speak for it; empty: --from is the operator")
	cmd.Flags().DurationVar(&options.Interval, flagInterval, 6*time.Second, "pause between two looks")
	if err := cmd.MarkFlagRequired(flagRPC); err != nil {
		panic(err) // the flag is above
	}
	return cmd
}

// relay runs one with what the command line says; from is where the URL stands.
func relay(cmd *cobra.Command, operators address.Codec, from string, options Options) error {
	ctx, err := client.GetClientTxContext(cmd)
	if err != nil {
		return err
	}
	if ctx.FromAddress.Empty() {
		return errors.New("give the account that signs: --from KEY, with --operator ADDRESS where that is not the validator's operator")
	}
	if options.Interval <= 0 {
		return fmt.Errorf("--%s is above 0", flagInterval)
	}
	account, err := operatorOf(operators, &options, ctx.FromAddress)
	if err != nil {
		return err
	}
	factory, err := tx.NewFactoryCLI(ctx, cmd.Flags())
	if err != nil {
		return err
	}
	url, err := readURL(from, ctx.HomeDir)
	if err != nil {
		return fmt.Errorf("--%s: %w", flagRPC, err)
	}
	running, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return run(running, url, newNode(ctx, factory, account), options, cmd.OutOrStdout())
}

// operatorOf is the account of the operator for whom a relay speaks, who is the signer if nobody
// is said.
func operatorOf(operators address.Codec, o *Options, signer sdk.AccAddress) (account sdk.AccAddress, err error) {
	if o.Operator == "" {
		o.Operator, err = operators.BytesToString(signer)
		return signer, err
	}
	if account, err = operators.StringToBytes(o.Operator); err != nil {
		return nil, fmt.Errorf("--%s is the validator's address (sequencerd query staking validators): %w", flagOperator, err)
	}
	return account, nil
}

func run(ctx context.Context, url string, n *node, options Options, out io.Writer) error {
	// By HTTP it does not connect before it asks.
	other, err := rpc.DialOptions(ctx, url, rpc.WithHTTPClient(&http.Client{Timeout: answersWithin}))
	if err != nil {
		return fmt.Errorf("--%s: %w", flagRPC, private(err))
	}
	ethereum := ethclient.NewClient(other)
	defer ethereum.Close()
	say := func(line string) { fmt.Fprintln(out, time.Now().Format(time.TimeOnly), line) }
	if n.grants != nil {
		if err := n.grants.await(ctx, options.Interval, say); err != nil {
			return err
		}
		say(fmt.Sprintf("%s signs for the operator", n.grants.grantee))
	}
	say("relays for " + options.Operator)
	return New(ethereum, n, options, say).Run(ctx)
}
