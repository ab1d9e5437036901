package app

import (
	"testing"

	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	"github.com/cosmos/cosmos-sdk/x/authz"
	govtypes "github.com/cosmos/cosmos-sdk/x/gov/types"
	govv1 "github.com/cosmos/cosmos-sdk/x/gov/types/v1"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/chain"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
	settlementtypes "github.com/sequencer-mpc/sequencer/x/settlement/types"
)

// Nobody signs for the account that owns a module's key. All that its owner may do to it
// passes as a proposal: the key gets fresh shares, another reshare is given up, and it is
// deleted and taken back.
func TestModuleKeyIsGoverned(t *testing.T) {
	s := newSettlers(t)
	secret := chain.NewSecret(stateKeyID)
	s.begin(secret, settlementParams())
	key := func() mpctypes.Key {
		k, err := s.app.MPC.Key(s.app.NewContext(true), stateKeyID)
		require.NoError(t, err)
		return k
	}
	reshare := func(id string) mpctypes.Reshare {
		r, err := s.app.MPC.Reshare(s.app.NewContext(true), id)
		require.NoError(t, err)
		return r
	}
	made := key()
	require.Equal(t, "settlement", made.Module)
	// refused: no account may, be it that of a validator who asks for keys, and it is told whose it is.
	refused := func(err error) {
		t.Helper()
		require.ErrorContains(t, err, "key "+stateKeyID+" belongs to the module settlement ("+made.Owner+"): not_owner")
		require.ErrorContains(t, err, "refresh-proposal")
	}
	refresh := mpctypes.MsgKeyReshare{ReshareId: "fresh", KeyId: stateKeyID, Threshold: made.Threshold, Participants: made.Participants}

	refresh.Requester = s.accounts[0].String()
	refused(s.send(0, &refresh))
	refresh.Requester = Authority()
	s.govern(&refresh)
	s.bundle(func(b *mpctypes.BundleBuilder) bool {
		return attestAll(b, openRequest(s.t, s.app), secret, s.identities)
	})
	test := openRequest(s.t, s.app)
	require.Equal(t, types.RequestID{Kind: types.KindSign, ID: "test:fresh"}, test.ID)
	signed := secret.Sign(test.ID.ID, test.Digest)
	s.bundle(func(b *mpctypes.BundleBuilder) bool { return b.AddSignature(&signed) })
	require.Equal(t, mpctypes.RESHARE_STATUS_READY, reshare("fresh").Status)
	require.Equal(t, made.Epoch+1, key().Epoch)
	require.Equal(t, made.Owner, key().Owner)

	refresh.ReshareId = "vain"
	s.govern(&refresh)
	require.Equal(t, mpctypes.RESHARE_STATUS_PENDING, reshare("vain").Status)
	refused(s.send(0, &mpctypes.MsgCancelReshare{Requester: s.accounts[0].String(), ReshareId: "vain"}))
	s.govern(&mpctypes.MsgCancelReshare{Requester: Authority(), ReshareId: "vain"})
	require.Equal(t, "cancelled", reshare("vain").Reason)

	refused(s.send(0, &mpctypes.MsgKeyDelete{Requester: s.accounts[0].String(), KeyId: stateKeyID}))
	s.govern(&mpctypes.MsgKeyDelete{Requester: Authority(), KeyId: stateKeyID})
	require.Equal(t, mpctypes.KEY_STATUS_DELETING, key().Status)
	refused(s.send(0, &mpctypes.MsgUndelete{Requester: s.accounts[0].String(), KeyId: stateKeyID}))
	s.govern(&mpctypes.MsgUndelete{Requester: Authority(), KeyId: stateKeyID})
	require.Equal(t, mpctypes.KEY_STATUS_READY, key().Status)
}

// Why a proposal failed is part of the state: no text of it may differ between nodes.
func TestFailedProposalsHaveReasonsAlone(t *testing.T) {
	s := newSettlers(t)
	s.begin(chain.NewSecret(stateKeyID), settlementParams())
	// x/gov executes what it finds inside without having looked at it.
	inside := authz.NewMsgExec(authtypes.NewModuleAddress(govtypes.ModuleName), []sdk.Msg{
		&mpctypes.MsgCancelReshare{Requester: Authority(), ReshareId: "no id"},
	})
	for _, test := range []struct {
		msg  sdk.Msg
		want string
	}{
		{&inside, "bad_id (mpc 2)"},
		{&mpctypes.MsgKeyDelete{Requester: Authority(), KeyId: "unheard-of"}, "unknown_key (mpc 15)"},
		{&mpctypes.MsgUndelete{Requester: Authority(), KeyId: stateKeyID}, "key_not_deleting (mpc 38)"},
		{&mpctypes.MsgKeySign{Requester: Authority(), SignatureId: "s", KeyId: stateKeyID, Payload: chain.Payload("text")}, "not_owner (mpc 19)"},
		{&settlementtypes.MsgResubmitBatch{Authority: Authority(), Purpose: settlementtypes.PURPOSE_STATE, Batch: 7}, "unknown_batch (settlement 12)"},
	} {
		failed := s.vote(test.msg)
		require.Equal(t, govv1.StatusFailed, failed.Status)
		require.Equal(t, test.want+": the log of each node says more", failed.FailedReason)
	}
}
