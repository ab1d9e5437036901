package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/sequencer-mpc/sequencer/app/localnet"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// look is the pause between two looks at chain and nodes.
const look = 150 * time.Millisecond

// Nodes with a part of their own. The requester speaks to node 0.
const (
	victim  = 3 // is killed, and loses its place in the end
	resting = 2 // rests while the victim must sign
)

// story is what the demo shows.
type story struct {
	net       *localnet.Network
	out       *screen
	requester *localnet.Account
	message   string
	keyID     string

	address   string
	signature []byte
	height    int64
}

func (s *story) tell(ctx context.Context) error {
	for _, chapter := range []func(context.Context) error{
		s.makeKey, s.signWithAll, s.signTransaction, s.signAhead, s.signWithoutVictim, s.signWithVictim, s.reshare, s.doWithoutVictim, s.deleteKey,
	} {
		if err := chapter(ctx); err != nil {
			return err
		}
	}
	return nil
}

// makeKey asks for a key and follows its making.
func (s *story) makeKey(ctx context.Context) error {
	s.out.title("A key that any %d of %d sign with", threshold+1, validators)
	began := time.Now()
	w := s.newWatcher(s.keyID)
	height, err := s.send(ctx, &mpctypes.MsgKeyGen{
		Requester: s.requester.Address, KeyId: s.keyID,
		Algorithm: mpctypes.ALGORITHM_ECDSA_SECP256K1, Threshold: threshold,
	})
	if err != nil {
		return err
	}
	attested := 0
	var key mpctypes.Key
	err = w.until(ctx, func() (bool, error) {
		resp, err := s.requester.Query.Key(ctx, &mpctypes.QueryKeyRequest{KeyId: s.keyID})
		if err != nil {
			return false, err
		}
		if n := len(resp.Attested); n > attested {
			attested = n
			s.out.sayf("keygen: %d of %d attest the same key", n, len(resp.Key.Participants))
		}
		key, s.address = resp.Key, resp.Addresses.Ethereum
		if key.Status == mpctypes.KEY_STATUS_ERROR {
			return false, fmt.Errorf("the key failed: %s", key.Reason)
		}
		return key.Status == mpctypes.KEY_STATUS_READY, nil
	})
	if err != nil {
		return err
	}
	s.out.sayf("READY in block %d, %d blocks and %.1f s after the request", key.DecidedHeight, key.DecidedHeight-height, time.Since(began).Seconds())
	s.out.sayf("public key %x", key.PublicKey)
	s.out.sayf("Ethereum address %s", s.address)
	return nil
}

func (s *story) signWithAll(ctx context.Context) error {
	s.out.title("A signature of %q as Ethereum wallets make it", s.message)
	signature, height, err := s.sign(ctx, "demo-1")
	s.signature, s.height = signature, height
	return err
}

// aheadTries is how often the demo signs with what was made in advance: a machine under load may
// lose a presignature, and the request is signed without it.
const aheadTries = 3

// signAhead waits until every node has made its part of a signature in advance, and has
// one finished. It fails if none of its signatures is made with what was.
func (s *story) signAhead(ctx context.Context) error {
	s.out.title("A signature that was made in advance, but for what is signed")
	for i := range aheadTries {
		if err := s.awaitPresignatures(ctx); err != nil {
			return err
		}
		id := fmt.Sprintf("demo-ahead-%d", i+1)
		if _, _, err := s.sign(ctx, id); err != nil {
			return err
		}
		ahead, err := s.wasMadeAhead(ctx, id)
		if err != nil {
			return err
		}
		if ahead {
			s.out.sayf("%s was made in advance", id)
			return nil
		}
		s.out.sayf("%s was made from the start: what was made in advance for it is lost", id)
	}
	return fmt.Errorf("none of %d signatures was made with a presignature, though every node had one each time", aheadTries)
}

func (s *story) signWithoutVictim(ctx context.Context) error {
	s.out.title("kill -9 of node%d, and a signature without it", victim)
	if err := s.net.Node(victim).Kill(); err != nil {
		return err
	}
	s.out.sayf("node%d is gone; %d of %d are left", victim, validators-1, validators)
	_, _, err := s.sign(ctx, "demo-2")
	return err
}

// signWithVictim has the killed node sign: with another one at rest, nobody else
// is left.
func (s *story) signWithVictim(ctx context.Context) error {
	s.out.title("node%d comes back and signs", victim)
	if err := s.net.Node(victim).Start(); err != nil {
		return err
	}
	if err := s.net.Node(victim).WaitReady(ctx); err != nil {
		return err
	}
	s.out.sayf("node%d has caught up and opened its share again", victim)
	if err := s.net.Node(resting).Stop(); err != nil {
		return err
	}
	s.out.sayf("node%d rests, so that node%d has to sign", resting, victim)
	if _, _, err := s.sign(ctx, "demo-3"); err != nil {
		return err
	}
	if err := s.net.Node(resting).Start(); err != nil {
		return err
	}
	return s.net.Node(resting).WaitReady(ctx)
}

// deleteKey decides that the key is destroyed and waits for every holder's word.
func (s *story) deleteKey(ctx context.Context) error {
	s.out.title("The end of the key")
	if _, err := s.send(ctx, &mpctypes.MsgKeyDelete{Requester: s.requester.Address, KeyId: s.keyID}); err != nil {
		return err
	}
	shown := ""
	return s.newWatcher(s.keyID).until(ctx, func() (bool, error) {
		resp, err := s.requester.Query.Key(ctx, &mpctypes.QueryKeyRequest{KeyId: s.keyID})
		if err != nil {
			return false, err
		}
		key := resp.Key
		status := strings.TrimPrefix(key.Status.String(), "KEY_STATUS_")
		line := fmt.Sprintf("key %s is %s; %d of %d holders attest that they hold nothing of it any more", s.keyID, status, len(key.DeletionAcks), len(key.Holders))
		if line != shown {
			s.out.say(line)
			shown = line
		}
		return key.Status == mpctypes.KEY_STATUS_DELETED && len(key.DeletionAcks) == len(key.Holders), nil
	})
}

func (s *story) send(ctx context.Context, msgs ...sdk.Msg) (int64, error) {
	height, err := s.requester.Send(ctx, msgs...)
	if err != nil {
		return 0, err
	}
	for _, msg := range msgs {
		s.out.sayf("%s is in block %d", strings.TrimPrefix(sdk.MsgTypeURL(msg), "/sequencer.mpc.v1."), height)
	}
	return height, nil
}
