package cli

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/cosmos/cosmos-sdk/server"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	"github.com/sequencer-mpc/sequencer/app/mpcnode/doctor"
)

const (
	flagFor     = "for"
	flagKeyID   = "key"
	flagRequest = "request"
	flagStrict  = "strict"
	// flagCommittee is what "tx mpc reshare" calls it.
	flagCommittee = "participants"
	flagThreshold = "threshold"
)

func doctorCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Look for what keeps this node from its part, and say what to do",
		Long: `Looks at this node's identity, consensus key, passphrase, database, disk, clock,
pre-parameters, presignatures and shares, asks the other participants whether they are there, and prints
a line for each: ok, a warning or a problem, with its reason and what to do. A problem
keeps the node from its part; a warning does not, yet. It changes nothing, whoever
runs it.

While the node runs it is asked through its socket, and asks all registered participants,
straight or by relay: how long that takes there and back, which version they run, what
their clocks say. While it does not, its files are looked at, the database included.

--for says what is to be done next, and what would be in its way: a keygen needs all of
its participants, a signature as many as its key says, a reshare as many of the key's
participants as sign and all who are to have a share. Who that is, of a keygen or a
reshare, the chain is asked: those of --participants if it would take them, or those that
it would choose if nobody is named, the bonded ones with the most power. It says too if it
would refuse a request with --threshold.
Without --key, --for sign says of each READY key of this node whether it can be signed
with now, by who is there and by what the chain knows of lost shares.
--key looks at one key: its status, its participants alone, and whether all have a share
of its epoch. --request looks at a key, a signature or a reshare that was asked for, and
says why it failed.

The passphrase that app.toml names is tried on the identity. One that only the node can
have (a systemd credential), or that somebody types, is left alone while the node runs;
--mpc-passphrase names another source, to be tried in any case.

The exit status is 0 if there is no problem, and 1 if there is one or the doctor could
not look. --strict counts warnings too. For programs: --output json.`,
		Example: `  sequencerd mpc doctor
  sequencerd mpc doctor --for keygen
  sequencerd mpc doctor --for keygen --participants OPERATOR,OPERATOR,OPERATOR --threshold 2
  sequencerd mpc doctor --for sign --key treasury
  sequencerd mpc doctor --for reshare --key treasury
  sequencerd mpc doctor --request payment-1 --output json`,
		Args: cobra.NoArgs,
		RunE: runDoctor,
	}
	addOutputFlag(cmd)
	addPassphraseFlag(cmd, forThisCommand)
	cmd.Flags().String(flagFor, "", "what is to be done: keygen, sign or reshare")
	cmd.Flags().String(flagKeyID, "", "id of a key to look at")
	cmd.Flags().String(flagRequest, "", "id of a key, signature or reshare that was asked for")
	cmd.Flags().StringSlice(flagCommittee, nil, "with --for keygen or reshare: the operators that are to have a share then")
	cmd.Flags().Uint32(flagThreshold, 0, "with --for keygen or reshare: t, of which t+1 are to sign (default 1, or that of --key)")
	cmd.Flags().Bool(flagStrict, false, "exit status 1 for warnings too")
	return cmd
}

func runDoctor(cmd *cobra.Command, _ []string) error {
	facts, err := factsOf(cmd)
	if err != nil {
		return err
	}
	strict, err := cmd.Flags().GetBool(flagStrict)
	if err != nil {
		return err
	}
	r := doctor.Examine(facts)
	if err := show(cmd, doctorText{r}); err != nil {
		return err
	}
	switch {
	case r.Problems > 0:
		return fmt.Errorf("the doctor found %s", plural(r.Problems, "problem"))
	case strict && r.Warnings > 0:
		return fmt.Errorf("the doctor found %s", plural(r.Warnings, "warning"))
	}
	return nil
}

// factsOf finds out what can be known of the node.
func factsOf(cmd *cobra.Command) (doctor.Facts, error) {
	f, err := filesOf(cmd)
	if err != nil {
		return doctor.Facts{}, err
	}
	purpose, err := cmd.Flags().GetString(flagFor)
	if err != nil {
		return doctor.Facts{}, err
	}
	facts := doctor.Facts{}
	if facts.For, err = doctor.ParsePurpose(purpose); err != nil {
		return facts, fmt.Errorf("--%s: %w", flagFor, err)
	}
	if facts.Key, err = cmd.Flags().GetString(flagKeyID); err != nil {
		return facts, err
	}
	if facts.Request, err = cmd.Flags().GetString(flagRequest); err != nil {
		return facts, err
	}
	if facts.Committee, err = cmd.Flags().GetStringSlice(flagCommittee); err != nil {
		return facts, err
	}
	threshold, err := cmd.Flags().GetUint32(flagThreshold)
	if err != nil {
		return facts, err
	}
	if (len(facts.Committee) > 0 || threshold > 0) && !facts.Choosing() {
		return facts, fmt.Errorf("--%s and --%s are of --%s keygen, without --%s, and of --%s reshare", flagCommittee, flagThreshold, flagFor, flagKeyID, flagFor)
	}
	node, err := mpcnode.NewClient(f.paths.Socket).Checkup(cmd.Context(), mpcnode.Question{
		Key: facts.Key, Request: facts.Request, Held: facts.For == doctor.Sign && facts.Key == "",
		Choose: facts.Choosing(), Committee: facts.Committee, Threshold: threshold,
	})
	if facts.NodeError = err; err == nil {
		facts.Node = &node
	}
	facts.Files = f.examine(facts.Node != nil, cmd.Flags().Changed(flagPassphrase))
	facts.Files.Signer = signerOf(server.GetServerContextFromCmd(cmd).Config)
	return facts, nil
}

type doctorText struct{ doctor.Report }

func (d doctorText) text() string {
	findings := table(func(w *tabwriter.Writer) {
		for _, f := range d.Findings {
			fmt.Fprintf(w, "%s\t%s\t%s\n", f.Level, f.Check, f.Detail)
			if f.Remedy != "" {
				reason := ""
				if f.Reason != "" {
					reason = string(f.Reason) + ": "
				}
				fmt.Fprintf(w, "\t\t-> %s%s\n", reason, f.Remedy)
			}
		}
	})
	return findings + fmt.Sprintf("%s, %s\n", plural(d.Problems, "problem"), plural(d.Warnings, "warning"))
}

func plural(n int, what string) string {
	switch n {
	case 0:
		return "no " + what
	case 1:
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
