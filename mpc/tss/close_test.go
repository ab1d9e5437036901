package tss_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/tss"
	"github.com/sequencer-mpc/sequencer/testutil/fixtures"
)

// TestClose: wherever a party is closed, its secrets are overwritten once and
// the library is let go of.
func TestClose(t *testing.T) {
	rounds := signStage.transcript()
	places := map[string]func(p session.Party) error{
		"before the start": func(session.Party) error { return nil },
		"in round 1":       func(p session.Party) error { _, err := p.Start(); return err },
		"after a failure": func(p session.Party) error {
			_, err := p.Start()
			require.NoError(t, err)
			_, err = p.Deliver(1, rounds[0][:1])
			require.ErrorContains(t, err, "is missing")
			return nil
		},
	}
	for name, bring := range places {
		t.Run(name, func(t *testing.T) {
			k := fixtures.Shares(2, 1)
			p := signParties(t, k, digestOf("transcript"), k.Operators)[k.Operators[0]]
			wipes := tss.CountWipes(p)
			require.NoError(t, bring(p))
			p.Close()
			require.Equal(t, 1, *wipes)
			require.True(t, tss.Ended(p))
			_, err := p.Start()
			require.ErrorContains(t, err, "has ended")
		})
	}
}
