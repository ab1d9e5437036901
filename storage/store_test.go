package storage_test

import (
	"github.com/sequencer-mpc/sequencer/mpc"
	"github.com/sequencer-mpc/sequencer/storage"
)

var _ mpc.Store = (*storage.DB)(nil)
