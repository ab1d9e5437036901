package localnet

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
)

// ManifestName is the file that says what is where.
const ManifestName = "localnet.json"

// Manifest is DIR/localnet.json.
type Manifest struct {
	ChainID string `json:"chain_id"`
	// BlockTime is the pause between blocks, such as "1s".
	BlockTime string `json:"block_time"`
	// Cores are those that the nodes share; none: all.
	Cores []int `json:"cores,omitempty"`
	// Transport carries the MPC channel.
	Transport string `json:"transport"`
	// RetireBlocks is that of the genesis: how long the deletion of a key may be taken
	// back, and how long its shares stay after that.
	RetireBlocks uint32 `json:"retire_blocks"`
	// PresignTarget is that of the genesis: how many presignatures each node keeps of
	// each key.
	PresignTarget uint32 `json:"presign_target"`
	// Requester may ask for keys and signatures; its key is in the keyring
	// (backend "test") in KeyringDir under RequesterKey.
	Requester    string `json:"requester"`
	RequesterKey string `json:"requester_key"`
	KeyringDir   string `json:"keyring_dir"`
	Nodes        []Info `json:"nodes"`
}

// Info is how to reach a node.
type Info struct {
	Name string `json:"name"`
	// Operator is empty for a node that only follows the chain.
	Operator string `json:"operator,omitempty"`
	// Behind names the sentry that a validator is connected to, and to nobody
	// else; empty: it is connected to all others.
	Behind string `json:"behind,omitempty"`
	NodeID string `json:"node_id"`
	Home   string `json:"home"`
	Log    string `json:"log"`
	P2P    string `json:"p2p"`
	// LibP2P is the UDP address of MPC, LibP2PID the node's id there, if that
	// carries the channel.
	LibP2P     string `json:"libp2p,omitempty"`
	LibP2PID   string `json:"libp2p_id,omitempty"`
	RPC        string `json:"rpc"`
	GRPC       string `json:"grpc"`
	REST       string `json:"rest"`
	Prometheus string `json:"prometheus"`
	// PID is 0 while the node does not run.
	PID int `json:"pid"`
}

// Validators counts the nodes that make blocks.
func (m *Manifest) Validators() int {
	n := 0
	for _, node := range m.Nodes {
		if node.Operator != "" {
			n++
		}
	}
	return n
}

// Sentries counts the nodes that validators are behind.
func (m *Manifest) Sentries() int {
	sentries := map[string]bool{}
	for _, node := range m.Nodes {
		if node.Behind != "" {
			sentries[node.Behind] = true
		}
	}
	return len(sentries)
}

func (m *Manifest) save(dir string) error {
	bz, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return fmt.Errorf("encode %s: %w", ManifestName, err)
	}
	path := filepath.Join(dir, ManifestName)
	temp := path + ".new"
	if err := os.WriteFile(temp, append(bz, '\n'), 0o644); err != nil {
		return fmt.Errorf("write %s: %w", ManifestName, err)
	}
	if err := os.Rename(temp, path); err != nil {
		return fmt.Errorf("write %s: %w", ManifestName, err)
	}
	return nil
}

// readManifest reads DIR/localnet.json; os.ErrNotExist if there is none.
func readManifest(dir string) (Manifest, error) {
	var m Manifest
	bz, err := os.ReadFile(filepath.Join(dir, ManifestName))
	if err != nil {
		return m, fmt.Errorf("read the network's files: %w", err)
	}
	if err := json.Unmarshal(bz, &m); err != nil {
		return m, fmt.Errorf("decode %s: %w", ManifestName, err)
	}
	m.Transport = cmp.Or(m.Transport, mpcnode.TransportComet)
	return m, nil
}
