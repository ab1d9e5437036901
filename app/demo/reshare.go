package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

const (
	reshareID = "demo-reshare"
	// newThreshold: any 2 of those who remain sign.
	newThreshold = 1
)

// handover is what was shown of a reshare, and of the signature that is made
// meanwhile.
type handover struct {
	attested int
	status   mpctypes.ReshareStatus
	signed   bool
}

// reshare gives the key to all nodes but the victim, and has it sign meanwhile.
func (s *story) reshare(ctx context.Context) error {
	s.out.title("The key goes over to %d nodes, any %d of which sign; node%d loses its place", validators-1, newThreshold+1, victim)
	began := time.Now()
	meanwhile := "demo-4"
	w := s.newWatcher(reshareID, meanwhile)
	asked, err := s.send(ctx, &mpctypes.MsgKeyReshare{
		Requester: s.requester.Address, ReshareId: reshareID, KeyId: s.keyID,
		Threshold: newThreshold, Participants: s.remaining(),
	}, s.signatureOf(meanwhile))
	if err != nil {
		return err
	}
	var reshare mpctypes.Reshare
	shown := &handover{status: mpctypes.RESHARE_STATUS_PENDING}
	err = w.until(ctx, func() (bool, error) {
		if err := s.showMeanwhile(ctx, shown, meanwhile); err != nil {
			return false, err
		}
		resp, err := s.requester.Query.Reshare(ctx, &mpctypes.QueryReshareRequest{ReshareId: reshareID})
		if err != nil {
			return false, err
		}
		reshare = resp.Reshare
		s.showReshare(shown, reshare, len(resp.Attested))
		if reshare.Status == mpctypes.RESHARE_STATUS_ERROR {
			return false, fmt.Errorf("the reshare failed: %s", reshare.Reason)
		}
		return reshare.Status == mpctypes.RESHARE_STATUS_READY && shown.signed, nil
	})
	if err != nil {
		return err
	}
	s.out.sayf("READY in block %d, %d blocks and %.1f s after the request: epoch %d begins",
		reshare.DecidedHeight, reshare.DecidedHeight-asked, time.Since(began).Seconds(), reshare.Epoch)
	return s.sameAddress(ctx)
}

// remaining are the operators of all nodes but the victim.
func (s *story) remaining() []string {
	var operators []string
	for i := range validators {
		if i != victim {
			operators = append(operators, s.net.Node(i).Info().Operator)
		}
	}
	slices.Sort(operators)
	return operators
}

// showReshare writes what is new of a reshare.
func (s *story) showReshare(shown *handover, r mpctypes.Reshare, attested int) {
	if attested > shown.attested {
		shown.attested = attested
		s.out.sayf("reshare: %d of %d attest their new shares of the same key", attested, len(r.Participants))
	}
	if r.Status == mpctypes.RESHARE_STATUS_TESTING && shown.status != r.Status {
		s.out.sayf("reshare: all %d attested; TESTING: the new shares sign a test before the key depends on them", len(r.Participants))
	}
	shown.status = r.Status
}

// showMeanwhile writes when the signature is there that was asked for with the
// reshare, and checks it.
func (s *story) showMeanwhile(ctx context.Context, shown *handover, id string) error {
	if shown.signed {
		return nil
	}
	sig, done, err := s.decided(ctx, id)
	if err != nil || !done {
		return err
	}
	shown.signed = true
	s.out.sayf("meanwhile, a signature by the shares of epoch %d is READY in block %d", sig.Epoch, sig.DecidedHeight)
	_, err = s.check(sig)
	return err
}

// sameAddress: what the chain knows as the key is what it was.
func (s *story) sameAddress(ctx context.Context) error {
	resp, err := s.requester.Query.Key(ctx, &mpctypes.QueryKeyRequest{KeyId: s.keyID})
	if err != nil {
		return err
	}
	if resp.Addresses.Ethereum != s.address {
		return fmt.Errorf("the reshare turned the address %s into %s", s.address, resp.Addresses.Ethereum)
	}
	s.out.sayf("Ethereum address %s, as before", s.address)
	return nil
}

// doWithoutVictim shows that the victim is not needed any more, and has nothing
// left that it could sign with.
func (s *story) doWithoutVictim(ctx context.Context) error {
	s.out.title("A signature by the new shares; node%d is out and loses its old one", victim)
	node := s.net.Node(victim)
	if err := node.Stop(); err != nil {
		return err
	}
	s.out.sayf("node%d rests: it is not needed any more", victim)
	if _, _, err := s.sign(ctx, "demo-5"); err != nil {
		return err
	}
	if err := node.Start(); err != nil {
		return err
	}
	if err := node.WaitReady(ctx); err != nil {
		return err
	}
	s.out.sayf("node%d is back", victim)
	err := s.newWatcher().until(ctx, func() (bool, error) {
		held, err := node.MPC().Keys(ctx)
		return err == nil && len(held.Keys) == 0, err
	})
	if err != nil {
		return err
	}
	s.out.sayf("node%d has destroyed its share of epoch 0: nothing of the key is left there", victim)
	return nil
}
