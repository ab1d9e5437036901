package mpcnode

import "github.com/sequencer-mpc/sequencer/mpc"

// Option changes how StartCmd's node is put together.
type Option func(*options)

type options struct {
	wrapTransport func(mpc.Transport) mpc.Transport
}

// WithTransport puts something between the engine and its channel, for programs
// that watch or change what the node says. It is called once, before the engine
// starts, with the transport that section [mpc] names. What the wrapper's methods
// must keep to stands at mpc.Transport.
func WithTransport(wrap func(mpc.Transport) mpc.Transport) Option {
	return func(o *options) { o.wrapTransport = wrap }
}
