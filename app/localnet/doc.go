// Package localnet writes and runs a network of sequencerd nodes on this
// machine: real processes of the real binary on loopback, each with a home of
// its own. "sequencerd localnet", the demo and the end-to-end test use it.
//
//	Write   homes, keys, MPC identities with pre-parameters, one genesis
//	        with sentries: each validator connected to one of them only
//	Start   one process a node; logs in DIR/nodeN.log
//	Node    Stop, Kill, Pause, Continue, Start again
//	Requester   an account that may ask for keys and signatures
//
// Everything is below one folder; DIR/localnet.json says where. Passphrases are
// in files of mode 0600 and keys in keyrings of the kind "test": a local network
// is for trying things out.
//
// Config.Cores keeps all nodes to some of this machine's cores, so that a
// measurement says the same on a bigger machine. A node counts its cores itself.
//
// Network owns the processes. Each runs in a process group of its own and, on
// Linux, is ended by the kernel should this process die. One that ends and was not
// meant to is an error of whoever waits for it or closes the network. A lock on the
// folder keeps a second Network from starting the same nodes.
package localnet
