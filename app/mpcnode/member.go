package mpcnode

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	cmtcfg "github.com/cometbft/cometbft/config"
	cmtp2p "github.com/cometbft/cometbft/p2p"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"cosmossdk.io/log/v2"

	"github.com/cosmos/cosmos-sdk/server"
	cmtlog "github.com/cosmos/cosmos-sdk/server/log"
	"github.com/cosmos/cosmos-sdk/version"

	"github.com/sequencer-mpc/sequencer/mpc"
	"github.com/sequencer-mpc/sequencer/mpc/tss"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/p2p"
	"github.com/sequencer-mpc/sequencer/storage"
	"github.com/sequencer-mpc/sequencer/storage/audit"
)

// reactorName is the channel's place among the node's reactors.
const reactorName = "MPC"

// member is a node's part in MPC: the reactor on its channel, the engine, what
// keeps the pool of pre-parameters full, metrics and the socket. It is empty if
// MPC is switched off.
type member struct {
	cfg       Config
	vault     *Vault
	app       App
	comet     *cmtcfg.Config
	log       *slog.Logger
	metrics   *metrics
	activity  *activity
	protocols *tss.Protocols
	reactor   *p2p.Reactor
	open      openRequests
	shares    *shareWatch
	// folder is nil where there is one.
	folder *folderLoss
	// copied is nil where there is no database.
	copied *oldCopy
	// consensus is the address that the node signs blocks with when it starts; nil if nobody knows it.
	consensus []byte
	// signs asks for it anew, votedLately reports whether a validator voted in the last blocks.
	signs       *consensusKey
	votedLately func(validator []byte) bool
	pages       pageSource
	saves       *backups
	// began is the chain's height when the node started, before it saw a block.
	began int64
	seen  *chainNote
	audit *audit.Log
	// backup is when the newest backup was made that was restored over the database since
	// that was told of the audit log; zero if none was.
	backup time.Time
	// warnings are what was found to be wrong at the start.
	warnings []Warning
	nodeKey  *cmtp2p.NodeKey
	peerID   string
	svrLog   log.Logger
	// wrapTransport may be nil.
	wrapTransport func(mpc.Transport) mpc.Transport
}

// newMember makes the reactor; the engine follows in start, when the node that
// it reads from exists.
func newMember(cfg Config, vault *Vault, app App, key *cmtp2p.NodeKey, svrCtx *server.Context) (*member, error) {
	m := &member{cfg: cfg, vault: vault, app: app, comet: svrCtx.Config, nodeKey: key, svrLog: svrCtx.Logger}
	if !cfg.Enabled {
		return m, nil
	}
	var err error
	if m.peerID, err = cfg.peerID(key); err != nil {
		return nil, err
	}
	m.log = newLogger(svrCtx.Logger, "mpc")
	m.began = app.LastBlockHeight()
	if vault.Present() {
		m.seen = &chainNote{db: vault.Database(), chainID: app.ChainID(), log: m.log}
	}
	m.metrics = newMetrics(app.ChainID())
	m.activity = newActivity()
	m.shares = newShareWatch(app, vault.PublicKeys(), nil, m.log)
	m.saves = &backups{vault: vault, identity: cfg.PathsOf(svrCtx.Config.RootDir).Identity, chainID: app.ChainID(), word: m.shares.word, record: m.record}
	m.protocols = tss.New(tss.WithConcurrency(cfg.Workers()))
	limits, err := roundLimits(m.protocols)
	if err != nil {
		return nil, err
	}
	m.reactor = p2p.NewReactor(p2p.Options{
		ChainID: app.ChainID(), RoundLimits: limits, SendQueue: cfg.SendQueue, Open: m.open.has,
		Logger: newLogger(svrCtx.Logger, "mpc-p2p"), Metrics: m.metrics,
	})
	m.reactor.SetLogger(cmtlog.CometLoggerWrapper{Logger: svrCtx.Logger.With("module", "mpc-p2p")})
	return m, nil
}

// blockLooks are what is looked for in the events of blocks.
func (m *member) blockLooks() []blockLook {
	return []blockLook{failedHooks(m.metrics.hooksFailed), endangeredKeys{m.metrics.keyNotReshared, m.log}.look}
}

// reactors are what the CometBFT node is made with: none if libp2p carries the
// channel.
func (m *member) reactors() map[string]cmtp2p.Reactor {
	if m.reactor == nil || m.cfg.Transport == TransportLibP2P {
		return nil
	}
	return map[string]cmtp2p.Reactor{reactorName: m.reactor}
}

// start runs the engine and what belongs to it in the group. After an error nothing of
// it is left open.
func (m *member) start(ctx context.Context, group *errgroup.Group, sync syncState) (err error) {
	if m.reactor == nil {
		return nil
	}
	paths := m.cfg.PathsOf(m.comet.RootDir)
	m.openAudit(paths.Folder)
	defer func() {
		if err != nil {
			m.closeAudit()
		}
	}()
	engine, err := mpc.New(m.options(sync), m.cfg.Workers())
	if err != nil {
		return fmt.Errorf("make the MPC engine: %w", err)
	}
	state := &engineState{engine: engine, identity: m.vault.Present(), lost: m.vault.Lost(), audit: m.audit, warnings: m.warnings}
	if m.vault.Present() {
		state.refill = newRefiller(m.vault.Database(), m.cfg.PreparamsTarget, engine.Status, m.log)
	}
	m.shares.records = func() []types.Record { return recordsOf(engine.Status()) }
	m.shares.declare = m.declares(engine.NoteUnheld, paths)
	if !m.vault.Present() && m.vault.Lost() == nil && m.consensus != nil {
		m.folder = newFolderLoss(m.app, m.consensus, func(err error) { state.found.Store(&err); m.tellLost(err) }, m.log)
	}
	if m.copied != nil {
		m.copied.tell = func(detail string) { m.tellOldCopy(state, detail) }
	}
	libp2p, err := m.listen()
	if err != nil {
		return err
	}
	reports := reporter{state, m.reactor, m.activity, m.shares, m.saves}
	m.pages.reports.Store(&reports)
	socket, err := listenSocket(paths.Socket, m.tools(reports))
	if err != nil {
		if libp2p != nil {
			err = errors.Join(err, libp2p.Close())
		}
		return err
	}
	m.reactor.SetSink(sink{engine: engine, offer: m.reactor.GossipTo})
	m.app.MPCLink().attach(engine, engine.Wake)
	m.metrics.watch(state, m.shares)
	m.tellLost(m.vault.Lost())
	if m.vault.Present() {
		tellLeftovers(m.log, m.vault.Database().Leftovers(), storage.FindLeftovers(paths.Identity))
	}
	if err := prometheus.DefaultRegisterer.Register(m.metrics); err != nil {
		m.log.Error("MPC metrics are not served", "err", err)
	}
	if m.vault.Present() {
		makeRoom(m.log, m.cfg.Workers())
	}
	group.Go(func() error { return m.runSocket(ctx, socket) })
	if libp2p != nil {
		group.Go(func() error { return m.runSwitch(ctx, libp2p) })
	}
	m.run(ctx, group, state)
	return nil
}

// run begins what belongs to the engine, and the engine itself, in the group.
func (m *member) run(ctx context.Context, group *errgroup.Group, state *engineState) {
	group.Go(func() error { return m.runEngine(ctx, state) })
	if m.audit != nil {
		group.Go(func() error { return m.runAudit(ctx) })
	}
	if m.folder != nil {
		group.Go(func() error { return m.folder.run(ctx) })
	}
	if m.copied != nil {
		group.Go(func() error { return m.copied.run(ctx) })
	}
	if len(m.vault.PublicKeys()) > 0 {
		group.Go(func() error { return m.shares.run(ctx) })
	}
	if state.refill != nil {
		group.Go(func() error { return state.refill.run(ctx) })
	}
}

// tellLost says that this node should take part and cannot.
func (m *member) tellLost(err error) {
	if err != nil {
		reason := types.ReasonOf(err)
		m.log.Error("this node should take part in MPC and cannot; it follows the chain, and what is on disk stays as it is", "err", err, "reason", reason, "remedy", reason.Remedy())
	}
}

// tellOldCopy warns of one that showed after the start.
func (m *member) tellOldCopy(state *engineState, detail string) {
	w, err := m.warning(types.ErrDatabaseOld, detail+m.sinceRestored())
	if err != nil {
		m.tellAudit(err)
	}
	state.late.Store(&w)
}

// options hands the engine its parts. A store that is a nil *storage.DB inside
// an interface would not look like none, so it is set only if there is one.
func (m *member) options(sync syncState) mpc.Options {
	opts := mpc.Options{
		ChainID:    m.app.ChainID(),
		Identities: m.vault.Keys(), LostIdentities: m.vault.LostKeys(),
		Chain:     newChain(m.app, sync, m.comet.Consensus, m.observeView),
		Transport: m.transport(),
		Protocols: m.protocols,
		Log:       m.log,
		Observer:  observer{engineMetrics{m.metrics}, m.activity},
		LogRounds: m.cfg.LogRounds,
		Kinds:     m.app.MPCState().PayloadKinds(),
		Version:   version.Version,
	}
	if m.vault.Present() {
		opts.Store = m.vault.Database()
	}
	if m.audit != nil {
		opts.Auditor = &auditor{lines: m.audit, log: m.log}
	}
	return opts
}

// transport is how the engine speaks.
func (m *member) transport() mpc.Transport {
	t := &transport{Reactor: m.reactor, peerID: m.peerID, log: m.log}
	if m.wrapTransport != nil {
		return m.wrapTransport(t)
	}
	return t
}

func (m *member) observeView(s sight) {
	v := s.View
	m.metrics.observeView(v, s.ended)
	m.open.observe(v, s.presigns)
	m.pages.failed.observe(v, s.ended, s.failed)
	if m.seen != nil {
		m.seen.observe(v)
	}
	if m.copied != nil {
		m.copied.viewed(v.CatchingUp)
	}
	if v.CatchingUp {
		return
	}
	if m.shares != nil {
		m.shares.viewed()
	}
	if m.folder != nil {
		m.folder.viewed()
	}
}

// runEngine ends with the context. If the engine cannot go on before, the node
// keeps following the chain: the metric engine_up is 0, and the socket says why.
func (m *member) runEngine(ctx context.Context, state *engineState) error {
	defer prometheus.DefaultRegisterer.Unregister(m.metrics)
	defer m.closeAudit()
	err := safely(m.log, "the MPC engine", func() error { return state.engine.Run(ctx) })
	m.app.MPCLink().detach()
	if err == nil {
		return nil
	}
	state.fail(err)
	m.reactor.SetSink(deaf{}) // nobody empties the engine's inbox any more
	m.open.forget()           // nobody looks at the chain either
	m.log.Error("the MPC engine stopped; this node takes part in no keys and signatures until it is started again, and goes on with the chain", "err", err)
	<-ctx.Done()
	return nil
}

// runSocket serves reports until the context ends. A socket that fails is no
// reason to stop a validator.
func (m *member) runSocket(ctx context.Context, s *socket) error {
	defer m.saves.wait() // what it uses is closed next
	if err := safely(m.log, "the MPC socket", func() error { return s.run(ctx) }); err != nil {
		m.log.Error(types.ForProgram("the MPC socket failed; \"sequencerd mpc status\" may find no node until it is started again"), "err", err)
	}
	return nil
}
