package storage

import "errors"

// OpenToLook opens a database to be read. It checks all that Open checks, and neither it
// nor anything that is done with the database afterwards changes a file: whoever looks may
// be another user than the node's, who could not read what that one wrote. What a crash
// left undone is left so. Others may look meanwhile, nobody may write; writes are
// ErrLooking. Errors are those of Open.
func OpenToLook(dir string, passphrase []byte) (*DB, error) {
	if err := checkThere(dir, passphrase); err != nil {
		return nil, err
	}
	db := unopened(dir, Options{})
	db.failed = ErrLooking
	err := db.hold(true)
	if err == nil {
		_, err = db.inspect(withPassphrase(passphrase))
	}
	if err != nil {
		return nil, errors.Join(err, db.closeFiles())
	}
	return db, nil
}
