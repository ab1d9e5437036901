package storage

// interrupted reports whether a write of the key database was not followed by
// one of the main database, as each is unless there is a crash in between.
func (db *DB) interrupted() bool { return db.main.state.seen != db.wrapped.state.generation }

// settle makes up for what a crash left undone. The orphans are the wrapped
// keys and the sealed entries that lack the other, which inspect found; doc.go
// says why each may go. A crash in here leaves the same to be done.
func (db *DB) settle(orphans [][]byte) error {
	c := db.newChange()
	c.wrapped.next.shredding = db.wrapped.state.shredding
	for _, key := range orphans {
		if err := c.destroy(key); err != nil {
			return err
		}
	}
	return c.commit()
}
