package mpcnode

import (
	"context"
	"net/http"
	"net/url"

	mpcmodule "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// The paths of reports that need more than the engine's last status.
const (
	pathCheckup = "/checkup" // of a Question
	pathInspect = "/inspect" // ?id=ID
)

// tools are all that the socket of a node answers.
func (m *member) tools(r reporter) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", r.handler())
	engine, chain := r.engine.engine, chainQueries{mpcmodule.NewQueryClient(askApp{m.app})}
	mux.Handle("GET "+pathCheckup, m.newExaminer(engine, chain, r.status))
	mux.Handle("GET "+pathInspect, &inspector{chain, engine, m.reactor})
	return mux
}

// Checkup asks for the facts that a doctor needs. The node asks all other participants
// meanwhile, which takes some seconds if one does not answer.
func (c *Client) Checkup(ctx context.Context, q Question) (Checkup, error) {
	return ask[Checkup](ctx, c, pathCheckup+"?"+q.encode())
}

// urlQuery encodes names and values.
func urlQuery(pairs ...string) string {
	values := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	return values.Encode()
}
