package types_test

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

func TestParams(t *testing.T) {
	many := make([]string, types.MaxRequesters+1)
	for i := range many {
		many[i] = "requester" + strconv.Itoa(i)
	}
	named := map[string]bool{}
	for name, c := range map[string]struct {
		change func(*types.Params)
		names  string // the field that the error names; empty: valid
	}{
		"default":                     {func(*types.Params) {}, ""},
		"as many members as possible": {func(p *types.Params) { p.MaxParticipants = mpctypes.MaxMembers }, ""},
		"too many members":            {func(p *types.Params) { p.MaxParticipants = mpctypes.MaxMembers + 1 }, "max_participants"},
		"one member":                  {func(p *types.Params) { p.MaxParticipants = 1 }, "max_participants"},
		"no keygen attempt":           {func(p *types.Params) { p.KeygenAttemptBlocks = 0 }, "keygen_attempt_blocks"},
		"keygen attempt is all":       {func(p *types.Params) { p.KeygenAttemptBlocks = p.KeygenLifetimeBlocks }, "keygen_attempt_blocks"},
		"keygen for ever":             {func(p *types.Params) { p.KeygenLifetimeBlocks = types.MaxLengthBlocks + 1 }, "keygen_lifetime_blocks"},
		"too many keygen attempts": {func(p *types.Params) {
			p.KeygenAttemptBlocks, p.KeygenLifetimeBlocks = 1, types.MaxAttempts+1
		}, "keygen_lifetime_blocks"},
		"keygen lifetime of a block": {func(p *types.Params) { p.KeygenLifetimeBlocks = 1 }, "keygen_lifetime_blocks is 1"},
		"no sign attempt":            {func(p *types.Params) { p.SignAttemptBlocks = 0 }, "sign_attempt_blocks"},
		"sign attempt above all":     {func(p *types.Params) { p.SignAttemptBlocks = p.SignLifetimeBlocks + 1 }, "sign_attempt_blocks"},
		"no sign lifetime":           {func(p *types.Params) { p.SignLifetimeBlocks = 0 }, "sign_lifetime_blocks"},
		"too many sign attempts":     {func(p *types.Params) { p.SignAttemptBlocks = 1 }, "sign_lifetime_blocks"},
		"no reshare attempt":         {func(p *types.Params) { p.ReshareAttemptBlocks = 0 }, "reshare_attempt_blocks"},
		"reshare attempt is all":     {func(p *types.Params) { p.ReshareAttemptBlocks = p.ReshareLifetimeBlocks }, "reshare_attempt_blocks"},
		"no reshare lifetime":        {func(p *types.Params) { p.ReshareLifetimeBlocks = 0 }, "reshare_lifetime_blocks"},
		"too many reshares":          {func(p *types.Params) { p.ReshareAttemptBlocks = 1 }, "reshare_lifetime_blocks"},
		"room for one attempt":       {func(p *types.Params) { p.SignAttemptBlocks = p.SignLifetimeBlocks/2 + 1 }, "sign_attempt_blocks"},
		"no time to answer":          {func(p *types.Params) { p.StartTimeout = time.Second - 1 }, "start_timeout"},
		"no start timeout":           {func(p *types.Params) { p.StartTimeout = 0 }, "start_timeout"},
		"negative start timeout":     {func(p *types.Params) { p.StartTimeout = -time.Second }, "start_timeout"},
		"start timeout of a day":     {func(p *types.Params) { p.StartTimeout = 24 * time.Hour }, "start_timeout"},
		"no retirement":              {func(p *types.Params) { p.RetireBlocks = 0 }, "retire_blocks"},
		"retirement of a year":       {func(p *types.Params) { p.RetireBlocks = types.MaxLengthBlocks }, ""},
		"retirement of an age":       {func(p *types.Params) { p.RetireBlocks = types.MaxLengthBlocks + 1 }, "retire_blocks"},
		"faults that never count":    {func(p *types.Params) { p.FaultBlocks = 0 }, "fault_blocks"},
		"faults for ever":            {func(p *types.Params) { p.FaultBlocks = types.MaxLengthBlocks + 1 }, "fault_blocks"},
		"no presignatures":           {func(p *types.Params) { p.PresignTarget = 0 }, ""},
		"many presignatures":         {func(p *types.Params) { p.PresignTarget = types.MaxPresignTarget }, ""},
		"too many presignatures":     {func(p *types.Params) { p.PresignTarget = types.MaxPresignTarget + 1 }, "presign_target"},
		"nothing pending":            {func(p *types.Params) { p.MaxPending = 0 }, "max_pending"},
		"too much pending":           {func(p *types.Params) { p.MaxPending = types.MaxPendingLimit + 1 }, "max_pending"},
		"nothing of one":             {func(p *types.Params) { p.MaxPendingPerRequester = 0 }, "max_pending_per_requester"},
		"more of one than of all":    {func(p *types.Params) { p.MaxPendingPerRequester = p.MaxPending + 1 }, "max_pending_per_requester"},
		"no entries":                 {func(p *types.Params) { p.BundleMaxEntries = 0 }, "bundle_max_entries"},
		"too many entries":           {func(p *types.Params) { p.BundleMaxEntries = types.MaxBundleEntries + 1 }, "bundle_max_entries"},
		"bundle too small":           {func(p *types.Params) { p.BundleMaxBytes = types.MinBundleBytes - 1 }, "bundle_max_bytes"},
		"bundle too large":           {func(p *types.Params) { p.BundleMaxBytes = types.MaxBundleBytes + 1 }, "bundle_max_bytes"},
		"no payloads":                {func(p *types.Params) { p.MaxPayloadBytes = 0 }, "max_payload_bytes"},
		"payloads of too much":       {func(p *types.Params) { p.MaxPayloadBytes = mpctypes.MaxSignPayloadBytes; p.MaxPending = 2049 }, "max_payload_bytes"},
		"as much as possible":        {func(p *types.Params) { p.MaxPayloadBytes = mpctypes.MaxSignPayloadBytes; p.MaxPending = 2048 }, ""},
		"payload too large":          {func(p *types.Params) { p.MaxPayloadBytes = mpctypes.MaxSignPayloadBytes + 1 }, "max_payload_bytes"},
		"a policy": {func(p *types.Params) {
			p.Policies = []types.KeyPolicy{{KeyId: "a"}, {
				KeyId: "b", Kinds: []string{"k"}, ChainIds: []string{"1"}, To: []string{"0xab"}, Calls: []string{"Mail", "0xab"}, MaxValue: "0", MaxFee: "10",
			}}
		}, ""},
		"policies out of order":      {func(p *types.Params) { p.Policies = []types.KeyPolicy{{KeyId: "b"}, {KeyId: "a"}} }, "policies"},
		"policy twice":               {func(p *types.Params) { p.Policies = []types.KeyPolicy{{KeyId: "a"}, {KeyId: "a"}} }, "policies"},
		"policy of no key":           {func(p *types.Params) { p.Policies = []types.KeyPolicy{{}} }, "policies"},
		"policies of too many":       {func(p *types.Params) { p.Policies = make([]types.KeyPolicy, types.MaxPolicies+1) }, "policies"},
		"policy with an empty entry": {func(p *types.Params) { p.Policies = []types.KeyPolicy{{KeyId: "a", Kinds: []string{""}}} }, "policies"},
		"policy with a long list": {func(p *types.Params) {
			p.Policies = []types.KeyPolicy{{KeyId: "a", Calls: slices.Repeat([]string{"a"}, types.MaxPolicyEntries+1)}}
		}, "policies"},
		"policy with a long entry": {func(p *types.Params) {
			p.Policies = []types.KeyPolicy{{KeyId: "a", ChainIds: []string{strings.Repeat("a", types.MaxPolicyEntryBytes+1)}}}
		}, "policies"},
		"policy with capitals":  {func(p *types.Params) { p.Policies = []types.KeyPolicy{{KeyId: "a", To: []string{"0xAB"}}} }, "policies"},
		"policy in hex":         {func(p *types.Params) { p.Policies = []types.KeyPolicy{{KeyId: "a", MaxValue: "0x1"}} }, "policies"},
		"policy below zero":     {func(p *types.Params) { p.Policies = []types.KeyPolicy{{KeyId: "a", MaxFee: "-1"}} }, "policies"},
		"policy without bounds": {func(p *types.Params) { p.Policies = []types.KeyPolicy{{KeyId: "a", MaxFee: strings.Repeat("1", 79)}} }, "policies"},
		"no margin":             {func(p *types.Params) { p.AutoReshareMargin = 0 }, ""},
		"margin of too many":    {func(p *types.Params) { p.AutoReshareMargin = mpctypes.MaxMembers + 1 }, "auto_reshare_margin"},
		"no pause":              {func(p *types.Params) { p.AutoResharePauseBlocks = 0 }, "auto_reshare_pause_blocks"},
		"pause for ever":        {func(p *types.Params) { p.AutoResharePauseBlocks = types.MaxLengthBlocks + 1 }, "auto_reshare_pause_blocks"},
		"retention of a year":   {func(p *types.Params) { p.RetentionBlocks = types.MaxLengthBlocks }, ""},
		"retention of an age":   {func(p *types.Params) { p.RetentionBlocks = types.MaxLengthBlocks + 1 }, "retention_blocks"},
		"fees": {func(p *types.Params) {
			p.KeygenFee = sdk.NewCoins(sdk.NewInt64Coin("stake", 5), sdk.NewInt64Coin("gold", 1))
			p.SignFee, p.ReshareFee = sdk.Coins{}, p.KeygenFee
		}, ""},
		"negative keygen fee": {func(p *types.Params) { p.KeygenFee = sdk.Coins{{Denom: "stake", Amount: math.NewInt(-1)}} }, "keygen_fee"},
		"sign fee of zero":    {func(p *types.Params) { p.SignFee = sdk.Coins{{Denom: "stake", Amount: math.ZeroInt()}} }, "sign_fee"},
		"reshare fee of nothing": {func(p *types.Params) {
			p.ReshareFee = sdk.Coins{{Denom: "!", Amount: math.OneInt()}}
		}, "reshare_fee"},
		"requester":           {func(p *types.Params) { p.Requesters = []string{"a", "b"} }, ""},
		"requester twice":     {func(p *types.Params) { p.Requesters = []string{"a", "b", "a"} }, "requesters"},
		"empty requester":     {func(p *types.Params) { p.Requesters = []string{""} }, "requesters"},
		"too many requesters": {func(p *types.Params) { p.Requesters = many }, "requesters"},
	} {
		field, _, _ := strings.Cut(c.names, " ")
		named[field] = true
		t.Run(name, func(t *testing.T) {
			p := types.DefaultParams()
			c.change(&p)
			err := (&types.MsgUpdateParams{Params: p}).ValidateBasic()
			if c.names == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, types.ErrBadParams)
			require.Contains(t, err.Error(), c.names)
		})
	}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[types.Params]()) {
		field, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		require.True(t, named[field] || f.Type.Kind() == reflect.Bool, "nothing is wrong for %s", field)
	}
}
