package localnet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/sequencer-mpc/sequencer/app"
)

// Network is a local network and its processes. Its methods are called from one
// goroutine; Close ends everything.
type Network struct {
	cfg      Config
	manifest Manifest
	nodes    []*Node
	lock     *os.File // held from Start to Close
}

func newNetwork(cfg Config, m Manifest) *Network {
	n := &Network{cfg: cfg, manifest: m}
	for i := range m.Nodes {
		m.Nodes[i].PID = 0
		n.nodes = append(n.nodes, n.newNode(m.Nodes[i]))
	}
	return n
}

func (n *Network) newNode(info Info) *Node {
	return &Node{info: info, binary: n.cfg.Binary, cores: n.cfg.Cores, changed: n.save}
}

// Load finds a network that Write made before, not running. It is os.ErrNotExist
// if there is none in the folder.
func Load(dir, binary string, progress func(string)) (*Network, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("find the folder of the network: %w", err)
	}
	m, err := readManifest(dir)
	if err != nil {
		return nil, err
	}
	blockTime, err := time.ParseDuration(m.BlockTime)
	if err != nil {
		return nil, fmt.Errorf("read block_time of %s: %w", ManifestName, err)
	}
	cfg := Config{
		Dir: dir, Binary: binary, ChainID: m.ChainID, Validators: m.Validators(), Sentries: m.Sentries(), Transport: m.Transport, BlockTime: blockTime,
		Cores: m.Cores, Progress: progress,
	}
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	return newNetwork(cfg, m), nil
}

// Dir is the network's folder.
func (n *Network) Dir() string { return n.cfg.Dir }

// Manifest is what localnet.json says now.
func (n *Network) Manifest() Manifest {
	m := n.manifest
	m.Nodes = make([]Info, len(n.nodes))
	for i, node := range n.nodes {
		m.Nodes[i] = node.Info()
	}
	return m
}

func (n *Network) save() error {
	m := n.Manifest()
	return m.save(n.cfg.Dir)
}

// Len counts the nodes.
func (n *Network) Len() int { return len(n.nodes) }

// Node is a node, counted from 0 in the order in which they were made.
func (n *Network) Node(i int) *Node { return n.nodes[i] }

// Start starts all nodes. It does not wait for blocks: see WaitHeight. A network
// that another process runs is left alone.
func (n *Network) Start() (err error) {
	if n.lock == nil {
		if n.lock, err = lockFolder(n.cfg.Dir); err != nil {
			return err
		}
	}
	for _, node := range n.nodes {
		if err := node.Start(); err != nil {
			return err
		}
	}
	return nil
}

// WaitHeight waits until all nodes have a block of this height, but for those that
// were not started, and those that Stop or Kill ended. One that died is an error.
func (n *Network) WaitHeight(ctx context.Context, height int64) error {
	for _, node := range n.nodes {
		if node.atRest() {
			continue
		}
		if err := node.WaitHeight(ctx, height); err != nil {
			return err
		}
	}
	return nil
}

// AddGuest finds addresses for one more node, whose home its operator makes and
// configures: a folder of the program's own name, which nobody has made yet. It is not
// started.
func (n *Network) AddGuest(name string) (*Node, error) {
	info, err := newInfo(n.cfg.Dir, name)
	if err != nil {
		return nil, err
	}
	info.Home = filepath.Join(info.Home, "."+app.Binary)
	node := n.newNode(info)
	n.nodes = append(n.nodes, node)
	return node, n.save()
}

// Close stops all nodes, at the same time, and waits for them. It is an error if
// one ended otherwise than well, now or before, unless Kill ended it.
func (n *Network) Close() error {
	errs := make([]error, len(n.nodes))
	var wait sync.WaitGroup
	for i, node := range n.nodes {
		wait.Go(func() { errs[i] = node.stop() })
	}
	wait.Wait()
	if n.lock != nil { // otherwise what localnet.json says is another's
		errs = append(errs, n.save(), n.lock.Close())
		n.lock = nil
	}
	return errors.Join(errs...)
}

// Remove deletes the network's folder after Close.
func (n *Network) Remove() error { return os.RemoveAll(n.cfg.Dir) }
