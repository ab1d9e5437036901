package mpcnode

import (
	"errors"
	"log/slog"

	"github.com/sequencer-mpc/sequencer/storage"
)

// FindLeftovers are the paths of what interrupted commands left beside identity and
// database, and of copies that have such a name. Error is why nobody knows.
func FindLeftovers(paths Paths) storage.Leftovers {
	database, identity := storage.FindLeftovers(paths.Database), storage.FindLeftovers(paths.Identity)
	return storage.Leftovers{
		Kept: append(database.Kept, identity.Kept...), Error: errors.Join(database.Error, identity.Error),
	}
}

// tellLeftovers says what went from beside the database when it was opened, and what did not:
// those hold what no destruction and no change of the passphrase reaches.
func tellLeftovers(log *slog.Logger, database, identity storage.Leftovers) {
	for _, path := range database.Removed {
		log.Info("removed what an interrupted command left beside the MPC database", "path", path)
	}
	for _, found := range []storage.Leftovers{database, identity} {
		for _, path := range found.Kept {
			log.Warn("a copy of MPC secrets is in the MPC folder, which no deletion reaches: remove it, or move it away if it is kept on purpose", "path", path)
		}
		if found.Error != nil {
			log.Warn("what interrupted commands left in the MPC folder stays there: remove it as the user whose it is", "err", found.Error)
		}
	}
}
