package mpcnode

import (
	"context"
	"errors"
	"fmt"

	abci "github.com/cometbft/cometbft/abci/types"
	"google.golang.org/grpc"
)

// askApp lets reports of a node query its own application, as gRPC clients do: without a
// connection, and at a named height ("latest" has gaps, see chain.committed).
type askApp struct{ app App }

// message is one of the module's, which know how to encode themselves.
type message interface {
	Marshal() ([]byte, error)
	Unmarshal([]byte) error
}

// Invoke implements the client's side of gRPC.
func (a askApp) Invoke(ctx context.Context, method string, args, reply any, _ ...grpc.CallOption) error {
	question, asks := args.(message)
	answer, answers := reply.(message)
	if !asks || !answers {
		return fmt.Errorf("%s takes and gives no messages of the module", method)
	}
	data, err := question.Marshal()
	if err != nil {
		return fmt.Errorf("encode the question: %w", err)
	}
	resp, err := a.app.Query(ctx, &abci.RequestQuery{Path: method, Data: data, Height: a.app.LastBlockHeight()})
	switch {
	case err != nil:
		return err
	case resp.IsErr():
		return errors.New(resp.Log)
	}
	return answer.Unmarshal(resp.Value)
}

// NewStream implements the client's side of gRPC: the module streams nothing.
func (askApp) NewStream(context.Context, *grpc.StreamDesc, string, ...grpc.CallOption) (grpc.ClientStream, error) {
	return nil, errors.New("there are no streams")
}
