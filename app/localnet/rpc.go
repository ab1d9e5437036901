package localnet

import (
	"fmt"
	"net/http"

	rpchttp "github.com/cometbft/cometbft/rpc/client/http"
	rpcclient "github.com/cometbft/cometbft/rpc/jsonrpc/client"
)

// RPC returns a client of the node's RPC that opens a connection for each call.
//
// The server closes a connection that was idle for 10 s (CometBFT's read timeout). A
// call sent at that moment ends in EOF, and Go does not repeat a POST: nobody knows
// whether the transaction in it was taken.
func (n *Node) RPC() (*rpchttp.HTTP, error) { return dialRPC(n.info) }

func dialRPC(info Info) (*rpchttp.HTTP, error) {
	client, err := rpcclient.DefaultHTTPClient(info.RPC)
	if err != nil {
		return nil, fmt.Errorf("connect with %s: %w", info.Name, err)
	}
	transport, ok := client.Transport.(*http.Transport)
	if !ok {
		return nil, fmt.Errorf("connect with %s: unexpected transport %T", info.Name, client.Transport)
	}
	transport.DisableKeepAlives = true
	rpc, err := rpchttp.NewWithClient(info.RPC, "/websocket", client)
	if err != nil {
		return nil, fmt.Errorf("connect with %s: %w", info.Name, err)
	}
	return rpc, nil
}
