// Package mpcnode is what any Cosmos SDK chain needs to carry the MPC engine:
// a start command whose node has the MPC reactor, the engine with its adapters,
// the [mpc] section of app.toml, metrics, and a socket for tools. It knows no
// particular application: that implements App. Package cli has what operators type.
//
//	          ┌──────────────── CometBFT node ────────────────┐
//	peers ◄──►│ p2p.Reactor           consensus ──► App        │
//	          └───▲──────┬─────────────────────────▲──┬───────┘
//	      Transport    sink                   Results │ Wake (Link)
//	              │      ▼                         │  ▼
//	              └──── mpc.Engine ────────────────┘◄─┘
//	                     │      │
//	              storage.DB   Chain: committed state through App
//
// Start order: configuration and passphrase, telemetry, application, CometBFT
// (which replays blocks before the reactor exists), gRPC and REST, engine. Stop
// order is the reverse, and every goroutine is waited for: those of the group in
// serve first, then CometBFT's, then application and database are closed.
//
// With transport = "libp2p" the reactor is not among CometBFT's: it runs on a
// libp2p switch of its own, in the group of serve, from after the engine was made
// until the context ends.
//
// With the option WithTransport a program stands between engine and channel.
//
// A node without an identity opens no database and asks for no passphrase. Its
// engine passes results on and works on nothing.
//
// A node whose database or identity is gone or damaged does the same, and says so: the
// chain goes on without it, and what is on disk stays as it is. A node compares what the
// chain says it has shares of with what it has, which a database that was put back
// cannot tell, and says on chain which are missing. Backups go through the socket, encrypted here, to whoever shows the
// passphrase; one is restored only where it was made, on the chain that it was made on.
// Each use of a share is a line in the audit log (storage/audit), and so is
// what an operator does with shares and identity. The database is told each second where
// that log ends, and so a start finds lines that are gone, and a database that is older.
//
// The socket also answers what takes more than a look at the engine's last status: a
// checkup (checkup.go), for which the node asks all other participants whether they are
// there, and an inspection of a request or session (inspect.go). Both name facts; package
// doctor judges them.
//
// An engine that cannot go on, because its database fails, ends alone: the node
// says so in log, metrics and socket, and keeps following and making blocks.
// Nor does an engine that works hold blocks up: room says how its cryptography
// leaves goroutines of consensus a place to run. Consensus comes first.
package mpcnode
