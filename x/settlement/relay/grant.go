package relay

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/version"
	"github.com/cosmos/cosmos-sdk/x/authz"

	"github.com/sequencer-mpc/sequencer/x/settlement/types"
)

// A relay need not have the operator's key, which can do anything with the validator: by x/authz
// the operator lets an account of the relay's own send for it what a relay sends, and nothing else.

// granted are the types of the messages that a relay sends.
var granted = []string{sdk.MsgTypeURL(&types.MsgBumpFee{}), sdk.MsgTypeURL(&types.MsgReportReceipt{})}

// grants are what an operator's account lets another one send for it.
type grants struct {
	query authz.QueryClient
	// granter is the operator's account, grantee that which signs.
	granter, grantee sdk.AccAddress
	// chain is the id of this chain, for what there is to type.
	chain string
}

// missing lists the types that the relay's account cannot send for the operator: it was never
// allowed to, or not any more, at a time. An error is trouble with the node.
func (g *grants) missing(ctx context.Context, now time.Time) (missing []string, err error) {
	for _, url := range granted {
		answer, err := g.query.Grants(ctx, &authz.QueryGrantsRequest{Granter: g.granter.String(), Grantee: g.grantee.String(), MsgTypeUrl: url})
		switch {
		case err != nil && ungranted(err):
			missing = append(missing, url)
		case err != nil:
			return nil, fmt.Errorf("ask this chain's node what %s may send for %s: %w", g.grantee, g.granter, err)
		case !valid(answer.Grants, now):
			missing = append(missing, url)
		}
	}
	return missing, nil
}

// valid: one of the grants has not expired.
func valid(all []*authz.Grant, now time.Time) bool {
	for _, g := range all {
		if g.Expiration == nil || g.Expiration.After(now) {
			return true
		}
	}
	return false
}

// ungranted: a node says that there is no grant, or that it has expired. Over the wire the
// words are what remains of the error.
func ungranted(err error) bool {
	return strings.Contains(err.Error(), authz.ErrNoAuthorizationFound.Error()) || strings.Contains(err.Error(), authz.ErrAuthorizationExpired.Error())
}

// command is what the operator types to let the relay's account send a type of messages.
func (g *grants) command(url string) string {
	return fmt.Sprintf("%s tx authz grant %s generic --msg-type %s --from %s --chain-id %s", version.AppName, g.grantee, url, g.granter, g.chain)
}

// remedy is what the operator types to let it send these.
func (g *grants) remedy(urls []string) string {
	lines := []string{fmt.Sprintf("%s may not send for the operator what a relay sends, or not any more; where the key of %s is, type", g.grantee, g.granter)}
	for _, url := range urls {
		lines = append(lines, "  "+g.command(url))
	}
	return strings.Join(lines, "\n")
}

// await waits until this chain's node says what is granted, looking again after each pause, and
// fails with what to type where that is not enough. When the context ends it has nothing to say.
func (g *grants) await(ctx context.Context, pause time.Duration, say func(string)) error {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	last := ""
	for {
		missing, err := g.missing(ctx, time.Now())
		switch {
		case err == nil && len(missing) == 0:
			return nil
		case err == nil:
			return errors.New(g.remedy(missing))
		case err.Error() != last && ctx.Err() == nil:
			last = err.Error()
			say(last)
		}
		select {
		case <-ctx.Done():
			return nil // as Run ends
		case <-tick.C:
		}
	}
}

// exec is a message of the operator's as the relay's account sends it.
func (g *grants) exec(msg sdk.Msg) sdk.Msg {
	wrapped := authz.NewMsgExec(g.grantee, []sdk.Msg{msg})
	return &wrapped
}

// explain adds what to type to an error that says that a grant is gone.
func (g *grants) explain(msg sdk.Msg, err error) error {
	if err == nil || !ungranted(err) {
		return err
	}
	return fmt.Errorf("%w; where the operator's key is, type: %s", err, g.command(sdk.MsgTypeURL(msg)))
}
