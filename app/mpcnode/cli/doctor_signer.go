package cli

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"

	cmtcfg "github.com/cometbft/cometbft/config"

	"github.com/sequencer-mpc/sequencer/app/mpcnode/doctor"
)

// signerOf looks at the files of the key that a node signs blocks with, not at the key; nil if
// another process signs, or if who looks may not.
func signerOf(cfg *cmtcfg.Config) *doctor.Signer {
	if cfg.PrivValidatorListenAddr != "" {
		return nil
	}
	s := &doctor.Signer{KeyFile: cfg.PrivValidatorKeyFile(), StateFile: cfg.PrivValidatorStateFile()}
	_, err := os.Stat(s.KeyFile)
	if s.HasKey = err == nil; err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	text, err := os.ReadFile(s.StateFile)
	if s.HasState = err == nil; err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var last struct {
		Height int64 `json:"height,string"`
	}
	if s.HasState && json.Unmarshal(text, &last) != nil {
		return nil // CometBFT says what is wrong with it
	}
	s.Height = last.Height
	return s
}
