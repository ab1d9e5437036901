package cli

import (
	"errors"
	"path/filepath"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	"github.com/sequencer-mpc/sequencer/app/mpcnode/doctor"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/storage"
)

// examine looks at what is on disk and changes nothing: whoever looks may be another user
// than the node's. The database of a node that runs is the node's.
func (f nodeFiles) examine(running, named bool) doctor.Files {
	files := doctor.Files{
		Enabled: f.cfg.Enabled, Folder: f.paths.Folder, PreparamsTarget: f.cfg.PreparamsTarget,
		Passphrase: doctor.Passphrase{Source: f.cfg.Passphrase}, Disks: f.disks(), Leftovers: mpcnode.FindLeftovers(f.paths).Kept,
	}
	files.HasDatabase, files.DatabaseError = storage.Exists(f.paths.Database)
	keys, err := storage.ReadIdentityPublic(f.paths.Identity)
	files.IdentityKeys = len(keys)
	switch {
	case errors.Is(err, storage.ErrNoIdentity) && files.HasDatabase:
		files.IdentityError = mpcnode.ErrNoIdentity
	case errors.Is(err, storage.ErrNoIdentity):
		return files // a node that follows the chain
	case err != nil:
		files.IdentityError = err
	}
	if running && !named && !f.cfg.PassphraseForAll() {
		return files
	}
	f.tryPassphrase(&files, running, named)
	return files
}

// tryPassphrase opens the identity, and the database of a node that does not run. A source
// that may be there for the node alone, or for a person, proves nothing if it is not here.
func (f nodeFiles) tryPassphrase(files *doctor.Files, running, named bool) {
	passphrase, err := mpcnode.ReadPassphrase(f.cfg, f.home)
	if err != nil {
		if named || f.cfg.PassphraseForAll() {
			files.Passphrase.Error = err
		}
		return
	}
	defer types.Wipe(passphrase)
	if files.IdentityKeys > 0 {
		identity, err := storage.LoadIdentity(f.paths.Identity, passphrase)
		identity.Wipe()
		files.Passphrase.Tried, files.Passphrase.Error = true, err
		if err != nil && !errors.Is(err, storage.ErrWrongPassphrase) { // it may be that of the database
			files.Passphrase.Error, files.IdentityError = nil, err
		}
	}
	if !running && files.HasDatabase {
		files.Opened, files.DatabaseError = openForLook(f.paths.Database, passphrase)
	}
}

// openForLook opens a database, which checks each entry, and counts.
func openForLook(path string, passphrase []byte) (found *doctor.Database, err error) {
	db, err := storage.OpenToLook(path, passphrase)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	records, err := db.Records()
	if err != nil {
		return nil, err
	}
	preparams, err := db.Preparams()
	if err != nil {
		return nil, err
	}
	found = &doctor.Database{Records: len(records), Preparams: len(preparams)}
	for _, r := range records {
		if r.HasData {
			found.Shares++
		}
	}
	return found, nil
}

// disks are those of the MPC folder and of the chain's data.
func (f nodeFiles) disks() []doctor.Disk {
	folder := f.paths.Folder
	if there, err := storage.Exists(f.paths.Database); err != nil || !there {
		folder = f.home
	}
	disks := []doctor.Disk{diskOf(folder)}
	if data := diskOf(filepath.Join(f.home, "data")); data.Error == nil && data.Free != disks[0].Free {
		disks = append(disks, data)
	}
	return disks
}

func diskOf(path string) doctor.Disk {
	free, err := freeBytes(path)
	return doctor.Disk{Path: path, Free: free, Error: err}
}
