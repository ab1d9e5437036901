package localnet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/sequencer-mpc/sequencer/app"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// writer makes the files of a network.
type writer struct {
	cfg      Config
	app      *app.App
	manifest Manifest
	configs  []NodeConfig
	parts    genesisParts
}

// Write makes the files of a network and returns it, not started. It takes some
// seconds of CPU a validator for the pre-parameters.
func Write(ctx context.Context, cfg Config) (*Network, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("find the folder of the network: %w", err)
	}
	cfg.Dir = dir
	if err := makeEmpty(dir); err != nil {
		return nil, err
	}
	w := &writer{cfg: cfg, app: app.NewTool()}
	for _, step := range []func(context.Context) error{w.validators, w.sentries, w.identities, w.requester, w.finish} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return newNetwork(cfg, w.manifest), nil
}

func makeEmpty(dir string) error {
	names, err := os.ReadDir(dir)
	switch {
	case err == nil && len(names) > 0:
		return fmt.Errorf("the folder %s is not empty; name another one, or remove it", dir)
	case err != nil && !errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("look into the folder of the network: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the folder of the network: %w", err)
	}
	return nil
}

// validators makes homes, keys and genesis transactions.
func (w *writer) validators(ctx context.Context) error {
	for i := range w.cfg.Validators {
		info, err := newInfo(w.cfg.Dir, fmt.Sprintf("node%d", i))
		if err != nil {
			return err
		}
		key, err := makeHome(&info, w.cfg.Transport)
		if err != nil {
			return err
		}
		keys, err := openKeyring(info.Home, w.app.Codec)
		if err != nil {
			return err
		}
		account, err := newKey(keys, validatorKey)
		if err != nil {
			return err
		}
		info.Operator, info.Behind = sdk.ValAddress(account).String(), sentryOf(i, w.cfg.Sentries)
		tx, err := genesisTx(ctx, w.app.Encoding, keys, w.cfg.ChainID, sdk.ValAddress(account), key, info.Name)
		if err != nil {
			return err
		}
		w.parts.accounts = append(w.parts.accounts, account)
		w.parts.transactions = append(w.parts.transactions, tx)
		w.add(info)
	}
	return nil
}

// sentries makes the homes of the nodes that validators are behind.
func (w *writer) sentries(context.Context) error {
	for i := range w.cfg.Sentries {
		info, err := newInfo(w.cfg.Dir, sentryName(i))
		if err != nil {
			return err
		}
		if _, err := makeHome(&info, w.cfg.Transport); err != nil {
			return err
		}
		w.add(info)
	}
	return nil
}

// add takes a node with its configuration into the network.
func (w *writer) add(info Info) {
	node := configOf(info, &w.cfg, w.cfg.Validators)
	// With sentries, who is connected with whom is what matters; nobody is to
	// hear of others.
	node.Comet.P2P.PexReactor = w.cfg.Sentries == 0
	if w.cfg.Tune != nil {
		w.cfg.Tune(len(w.manifest.Nodes), &node)
	}
	w.manifest.Nodes = append(w.manifest.Nodes, info)
	w.configs = append(w.configs, node)
}

// identities makes the MPC identities with their pre-parameters, as many at a
// time as there are cores.
func (w *writer) identities(ctx context.Context) error {
	began := time.Now()
	w.parts.participants = make([]mpctypes.GenesisParticipant, w.cfg.Validators)
	made := make(chan string, w.cfg.Validators)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	w.cfg.Progress(fmt.Sprintf("making %d MPC identities with pre-parameters, each on one core", w.cfg.Validators))
	for i, info := range w.manifest.Nodes[:w.cfg.Validators] {
		group.Go(func() error {
			public, proof, err := makeIdentity(ctx, info, w.configs[i].App.MPC, w.cfg.ChainID)
			if err != nil {
				return err
			}
			w.parts.participants[i] = mpctypes.GenesisParticipant{
				Participant: mpctypes.Participant{
					Operator: info.Operator, Identities: []mpctypes.Identity{{Version: 1, PublicKey: public}},
				},
				ProofOfPossession: proof,
			}
			made <- info.Name
			w.cfg.Progress(fmt.Sprintf("%s has an MPC identity and pre-parameters (%d of %d, %.1f s)",
				info.Name, len(made), w.cfg.Validators, time.Since(began).Seconds()))
			return nil
		})
	}
	return group.Wait()
}

// requester makes the account that may ask.
func (w *writer) requester(context.Context) error {
	keys, err := openKeyring(w.cfg.Dir, w.app.Codec)
	if err != nil {
		return err
	}
	account, err := newKey(keys, requesterKey)
	if err != nil {
		return err
	}
	w.parts.accounts = append(w.parts.accounts, account)
	w.parts.requester = account.String()
	w.manifest.ChainID, w.manifest.BlockTime, w.manifest.Cores = w.cfg.ChainID, w.cfg.BlockTime.String(), w.cfg.Cores
	w.manifest.Transport = w.cfg.Transport
	w.manifest.Requester, w.manifest.RequesterKey, w.manifest.KeyringDir = account.String(), requesterKey, w.cfg.Dir
	return nil
}

// finish writes the genesis and the configurations, which name all peers.
func (w *writer) finish(context.Context) error {
	genesis, params, err := buildGenesis(w.app, w.cfg, w.parts)
	if err != nil {
		return err
	}
	w.manifest.RetireBlocks, w.manifest.PresignTarget = params.RetireBlocks, params.PresignTarget
	for i, info := range w.manifest.Nodes {
		if err := genesis.SaveAs(genesisPath(info.Home)); err != nil {
			return fmt.Errorf("write the genesis file of %s: %w", info.Name, err)
		}
		w.configs[i].Comet.P2P.PersistentPeers = peersOf(w.manifest.Nodes, info)
		w.configs[i].App.MPC.LibP2PPeers = libp2pPeersOf(w.manifest.Nodes, info)
		if err := writeConfigs(info, w.configs[i], w.cfg.ChainID); err != nil {
			return err
		}
	}
	return w.manifest.save(w.cfg.Dir)
}
