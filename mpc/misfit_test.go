package mpc

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// draws counts what is read of a source of randomness.
type draws struct {
	io.Reader
	count int
}

func (r *draws) Read(p []byte) (int, error) {
	r.count++
	return r.Reader.Read(p)
}

// TestMisfit: a Prepare with a key that no secret can be agreed with is refused, as often
// as it comes, and moves nothing: no write, no randomness, no session of an earlier
// attempt or of another request, one line in the log. One that fits is answered still.
func TestMisfit(t *testing.T) {
	d := newDesk(t, 4)
	d.hold(types.Context{5}, types.StatusReady)
	r := d.request(types.KindSign)
	d.view.Requests = []types.Request{r}
	var log bytes.Buffer
	var rand *draws
	d.start(func(o *Options) {
		rand = &draws{Reader: o.Rand}
		o.Rand = rand
		o.Log = slog.New(slog.NewTextHandler(&log, nil))
	})
	d.core.HandleEnvelope(d.prepare(r.Initiator(0), r.ID, 0, 1))
	said, _, _ := d.answer()
	require.Equal(t, "ready", said)

	d.view.Height = 15
	d.commit()
	d.store.BeforeWrite = func(string) error { return errors.New("nothing is to be written") }
	rand.count = 0
	for range 20 {
		d.core.HandleEnvelope(d.prepareKey(r.Initiator(1), r.ID, 1, 1, make([]byte, 32)))
		said, to, _ := d.answer()
		require.Equal(t, []string{string(types.ErrProtocolFault), string(r.Initiator(1))}, []string{said, to})
	}
	require.NoError(t, d.core.Err())
	require.Zero(t, rand.count)
	require.Equal(t, 1, strings.Count(log.String(), "cannot be answered"), log.String())
	sessions := d.core.Status().Sessions
	require.Len(t, sessions, 1)
	require.Equal(t, session.Waiting, sessions[0].Phase)
	require.Zero(t, sessions[0].Attempt)
	require.Equal(t, 2, d.core.Holdings().Notes, "of the misfit, and that the request is bound")

	d.store.BeforeWrite = func(string) error { return nil }
	d.core.HandleEnvelope(d.prepare(r.Initiator(1), r.ID, 1, 1))
	said, _, _ = d.answer()
	require.Equal(t, "ready", said)
	d.view.Requests = nil
	d.commit()
	require.Zero(t, d.core.Holdings().Notes, "it goes with the request")
}
