package p2p

import (
	"time"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// ChannelID is the channel of everything about MPC. CometBFT uses 0x00, 0x20
// to 0x23, 0x30, 0x38, 0x40, 0x60 and 0x61 itself.
const ChannelID = byte(0x70)

// Priority is the channel's share of a connection. CometBFT always sends next
// on the channel with the least bytes sent per priority. Consensus has 10
// (data), 7 (votes) and 6 (state), transactions 5: with all of them busy, MPC
// gets 4/32 of the rate.
const Priority = 4

// Bounds of Options.SendQueue, the messages that wait inside CometBFT for one
// peer. They leave in order, so a control message waits for those before it;
// what finds no place waits in the outbox, where control messages overtake.
const (
	// DefaultSendQueue: 16 of the biggest are 3.4 MB, 0.7 s at CometBFT's
	// default of 5.12 MB/s.
	DefaultSendQueue = 16
	// MaxSendQueue: 256 of the biggest are 55 MB for one peer, 10.7 s at that
	// rate: about as long as a message may wait for a place (sendPatience).
	MaxSendQueue = 256
)

// Sizes of messages.
const (
	// maxHeaderBytes: chain id 52, context 34, kind 2, round 6, type 34, from
	// 92, identity version 6, to 92, sequence 11, body hash 34, request kind 6,
	// request id 66: 435 with tags and lengths. The rest is room for fields to
	// come.
	maxHeaderBytes = 512

	// EnvelopeOverhead is what an encoded Message has beyond the body of its
	// envelope: 5 (message) + 3 + 512 (header) + 5 (body) + 66 (signature) =
	// 591; the rest is room for fields to come. An envelope inside of another
	// one (Forward) has the same.
	EnvelopeOverhead = 1 << 10

	// MaxHelloBytes: operator 92, identity version 6, peer id 66 (40 hex digits
	// at CometBFT, 52 letters at libp2p, up to 64 allowed), signature 66, outer
	// tag and length 3: 233.
	MaxHelloBytes = 256

	// MaxGossipBytes: an attestation has kind 6, id 66, attempt 6, session 34,
	// payload 3 + MaxPayloadBytes, operator 92, identity version 6, signature
	// 66, commitment 34, and 9 for three outer tags and lengths: 322 beyond its
	// payload. Evidence is smaller, two headers of 438 with signatures of 66 and a key
	// id of 66, and so is a signature: 66 + 34 + 34 + 2.
	MaxGossipBytes = 512 + types.MaxPayloadBytes

	// MaxSmallBody bounds Prepare (attempt 6, nonce 34, key 34, deals 2, height 11, commitment
	// 34: 121), Ready (34), Confirm (34),
	// Working (6), Parked (34) and Abort (reason 66, four operators 92 each: 434); the rest is room
	// for fields to come.
	MaxSmallBody = 512

	// MaxRefuseBody: a reason, at most 64 bytes, and a result.
	MaxRefuseBody = 128 + MaxGossipBytes

	// MaxStartBody: the Prepare verbatim, below 1 KiB, and for each member its
	// Ready verbatim (header 438, body 36, signature 66, tag and length 3: 543,
	// below 576) and its operator among the signers and, of a reshare, among the dealers
	// (92 each, below 96).
	MaxStartBody = 1<<10 + types.MaxMembers*(576+2*96)

	// MaxMissingBody: two message types of each member (operator 92, type 34,
	// tag and length 3: 129, below 144).
	MaxMissingBody = 64 + types.MaxMembers*2*144

	// MaxDisputeBody: one broadcast of each member without its body (header
	// 438, signature 66, tag and length 3: 507, below 576).
	MaxDisputeBody = types.MaxMembers * 576

	// MaxRoundBody bounds the protocols' messages: the largest is round 2 of a
	// reshare, measured at 175 KB and capped at 200 KiB; round 1 of a keygen is
	// 134 KB. 8 KiB are for sealing and framing. Options.RoundLimits has the
	// bounds of each type.
	MaxRoundBody = 208 << 10

	// MaxForwardBody: one round message.
	MaxForwardBody = MaxRoundBody + EnvelopeOverhead

	// MaxFramed and MaxFrameBytes bound a Frame: 64 Confirms (some 400 bytes each), or
	// 24 messages of a signature's online rounds; longer ones travel alone. At CometBFT's
	// default rate one takes 13 ms, and what is urgent waits no longer for it.
	MaxFramed     = 64
	MaxFrameBytes = 64 << 10

	// MaxMessageBytes is the channel's RecvMessageCapacity.
	MaxMessageBytes = MaxForwardBody + EnvelopeOverhead

	// maxPeerIDBytes: see MaxHelloBytes.
	maxPeerIDBytes = 64
)

// MaxFaults is how many messages that no honest node sends (a wrong signature,
// a wrong shape) a peer may deliver on one connection; with the last of them
// it is stopped for error. More than one, because stopping ends the consensus
// connection too.
const MaxFaults = 8

// newcomerPart is what part of the patience an unknown peer finds: one that comes
// back under a new name after it was stopped for a flood is stopped sooner than
// one that was there for long.
const newcomerPart = 10

// Warnings in the log: so many a second, with a burst.
const (
	warningRate  = 1
	warningBurst = 50
)

// knownPeers is how many peers are remembered with what they may deliver, those
// that are gone too: 20 times those of CometBFT's defaults, 1 KB each.
const knownPeers = 1000

// knownParts is how many parts of what is delivered in others' names are remembered: twice
// those of 50 peers that deliver on 40 subjects each, 0.5 KB each. Those that were not used for
// longest are forgotten; after 16 s they are as good as new.
const knownParts = 4096

// sendPatience is how long one message may wait for a place in the switch's
// queue: CometBFT's own limit of a blocking Send.
const sendPatience = 10 * time.Second

// helloFirst is when a hello goes out again on an idle connection, in case the
// first was dropped; after that, twice as long each time, up to helloRepeat: 233
// bytes a minute.
const (
	helloFirst  = 2 * time.Second
	helloRepeat = time.Minute
)

// helloAnswer is how long after its last hello a node answers one with another:
// longer than two nodes take to greet each other, or they would go on for ever.
const helloAnswer = 5 * time.Second

// sendRetry is the pause after the switch's queue was full: with
// DefaultSendQueue, 16 messages in 5 ms, 3200 a second to one peer. A queue of
// one takes 200 a second still.
const sendRetry = 5 * time.Millisecond

// gossipRepeat is how soon the same result may pass to the sink again. Every
// holder resends to every peer, so n copies come at about the same time; one
// of them is enough, and a second later the next one is let through.
const gossipRepeat = time.Second

// gossipSeen is how many results are remembered for gossipRepeat: the budget
// of four busy peers within that time. 40 bytes each and the list: 0.5 MB.
const gossipSeen = 4 * 1000

// MaxHops is how many connections a relayed envelope may cross: a validator, its
// sentry, four nodes between, another sentry, its validator are seven.
const MaxHops = 8

// relayHold is how soon the same envelope may be relayed again; each time that
// it is, twice as long, up to relayHoldMax. Senders resend after 2 s, then after
// half as much longer each time, up to 10 s: all of these pass.
const (
	relayHold    = time.Second
	relayHoldMax = 4 * time.Second
)

// relaySeen is how many envelopes are remembered for relayHold: 50 peers may
// deliver 50 000 relays within it. 150 bytes each: 10 MB when full.
const relaySeen = 1 << 16

// maxWorkers ends the growth of verify workers with the processor: one
// verifies some 10 000 signatures a second.
const maxWorkers = 4

// limits are the numbers that tests make smaller.
type limits struct {
	inbox   queueLimit
	lanes   [lanes]queueLimit
	transit queueLimit
	// cooldown: how long libp2p keeps out who was disconnected for what it sent.
	cooldown cooldownLimit
	// peer: what one connection delivers; relay and hello: what of it are relays
	// and hellos; patience: what it delivers beyond that before it is stopped.
	peer, relay, hello, patience budgetLimit
	// sender: what a sender's own connection brings to be relayed; others: what all other
	// peers deliver in its name, and presign beside it, for presignatures; detour: what all of
	// them bring to be relayed while its own connection is there, with its current identity.
	sender, others, presign, detour budgetLimit
	// notOpen: what peers deliver in others' names of no open request.
	notOpen budgetLimit
	// pace and relayPace: what is sent to one peer, less than peer and relay.
	pace, relayPace budgetLimit
	// streams: how a peer may use its streams on libp2p.
	streams streamLimit
}

// queueLimit bounds a queue in messages and in encoded bytes.
type queueLimit struct{ messages, bytes int }

// budgetLimit is a rate per second with a burst.
type budgetLimit struct {
	messages, messageBurst int
	bytes, byteBurst       int
}

// Streams and connections of a peer on libp2p.
const (
	// openStreams: QUIC makes a peer wait with 256 of them on each connection, and honest
	// ones send on one connection. Twice that is for what is ended already and still
	// waits here for its turn.
	openStreams = 512
	// peerConnections: both sides may have made one at the same time, and both of these
	// may be dead, of a peer that was started again.
	peerConnections = 4
)

// streamLimit is what a peer may do with its streams on libp2p.
type streamLimit struct {
	// connections it may have, streams that may be open, and how many of these are read at a
	// time.
	connections, open, atOnce int
	// patience is how long one may take until its message is there.
	patience time.Duration
	// failures are those that may bring no message, per second with a burst, own those of
	// libp2p's own protocols.
	failures, failureBurst int
	own, ownBurst          int
}

// defaultLimits holds the budgets; doc.go has their arithmetic.
func defaultLimits() limits {
	return limits{
		inbox: queueLimit{messages: 512, bytes: 2 << 20},
		lanes: [lanes]queueLimit{
			control: {messages: 1024, bytes: 1 << 20},
			bulk:    {messages: 1024, bytes: 8 << 20},
		},
		transit:   queueLimit{messages: 4096, bytes: 4 << 20},
		cooldown:  cooldownLimit{first: time.Second, most: 5 * time.Minute},
		peer:      budgetLimit{messages: 1000, messageBurst: 4000, bytes: 4 << 20, byteBurst: 16 << 20},
		hello:     budgetLimit{messages: 1, messageBurst: 16, bytes: 1 << 10, byteBurst: 16 << 10},
		patience:  budgetLimit{messages: 100, messageBurst: 10_000, bytes: 400 << 10, byteBurst: 64 << 20},
		relay:     budgetLimit{messages: 1000, messageBurst: 4000, bytes: 1 << 20, byteBurst: 16 << 20},
		sender:    budgetLimit{messages: 1000, messageBurst: 4000, bytes: 1 << 20, byteBurst: 16 << 20},
		others:    budgetLimit{messages: 500, messageBurst: 2000, bytes: 512 << 10, byteBurst: 8 << 20},
		presign:   budgetLimit{messages: 250, messageBurst: 1000, bytes: 256 << 10, byteBurst: 4 << 20},
		detour:    budgetLimit{messages: 100, messageBurst: 200, bytes: 64 << 10, byteBurst: 512 << 10},
		notOpen:   budgetLimit{messages: 100, messageBurst: 200, bytes: 64 << 10, byteBurst: 512 << 10},
		pace:      budgetLimit{messages: 900, messageBurst: 3000, bytes: 3686 << 10, byteBurst: 12 << 20},
		relayPace: budgetLimit{messages: 900, messageBurst: 3000, bytes: 921 << 10, byteBurst: 12 << 20},
		streams: streamLimit{
			connections: peerConnections, open: openStreams, atOnce: 16, patience: 30 * time.Second,
			failures: 1, failureBurst: 32, own: 1, ownBurst: 64,
		},
	}
}
