package localnet

import (
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// MaxValidators bounds a network: each node is a process with a chain
// and databases of its own.
const MaxValidators = 16

// Config says what Write makes.
type Config struct {
	// Dir is made; it must not be there, or be empty.
	Dir string
	// Binary is the path of sequencerd.
	Binary string
	// ChainID of the genesis.
	ChainID string
	// Validators is how many nodes make blocks and hold key shares.
	Validators int
	// Sentries are nodes that make no blocks and hold no shares. With them, each
	// validator is connected to one of them only, in turn, and they to each other.
	Sentries int
	// Transport is what carries the MPC channel, as in section [mpc] of app.toml.
	Transport string
	// BlockTime is the pause between blocks.
	BlockTime time.Duration
	// Cores are those that the nodes share, by their numbers; nil: all that this
	// process may use. It holds on Linux; elsewhere Progress is told that it does
	// not.
	Cores []int
	// Params changes the parameters of x/mpc; may be nil.
	Params func(*mpctypes.Params)
	// Tune changes the configuration of a node, counted from 0; may be nil.
	Tune func(node int, cfg *NodeConfig)
	// Progress is told what is being done; may be nil.
	Progress func(line string)
}

// DefaultConfig is a network of four with blocks of a second.
func DefaultConfig(dir, binary string) Config {
	return Config{Dir: dir, Binary: binary, ChainID: "seq-local-1", Validators: 4, BlockTime: time.Second, Transport: mpcnode.TransportComet}
}

// cores is how many the nodes share.
func (c *Config) cores() int {
	if len(c.Cores) > 0 && pins {
		return len(c.Cores)
	}
	return runtime.GOMAXPROCS(0)
}

func (c *Config) validate() error {
	switch {
	case c.Dir == "":
		return errors.New("name the folder for the network: --output DIR")
	case c.Binary == "":
		return errors.New("localnet without the path of sequencerd")
	case c.Validators < 1 || c.Validators > MaxValidators:
		return fmt.Errorf("a local network has 1 to %d validators, not %d", MaxValidators, c.Validators)
	case c.Sentries < 0 || c.Sentries > c.Validators:
		return fmt.Errorf("a local network of %d validators has 0 to %d sentries, not %d", c.Validators, c.Validators, c.Sentries)
	case c.Transport != mpcnode.TransportComet && c.Transport != mpcnode.TransportLibP2P:
		return fmt.Errorf("MPC goes over %q or %q, not %q", mpcnode.TransportComet, mpcnode.TransportLibP2P, c.Transport)
	case c.BlockTime <= 0:
		return fmt.Errorf("the time between blocks is %s; it must be more than nothing", c.BlockTime)
	case c.ChainID == "":
		return errors.New("localnet without a chain id")
	}
	if err := checkCores(c.Cores); err != nil {
		return err
	}
	if c.Progress == nil {
		c.Progress = func(string) {}
	}
	if len(c.Cores) > 0 && !pins {
		c.Progress(fmt.Sprintf("the nodes do not keep to cores %v: that needs Linux", c.Cores))
	}
	return nil
}
