// Package storage keeps what a node must not lose and nobody else may read:
// key shares, sign request bindings, keygen pre-parameters and tombstones in a
// goleveldb database (DB), and the identity keys in a file (Identity). DB is
// the Store that the engine declares.
//
// # Keys
//
// A passphrase gives, by Argon2id (RFC 9106; the parameters stand in the
// header), the key that wraps a random data key (XChaCha20-Poly1305, the header
// is its associated data). HKDF-SHA256 of the data key gives the sealing key and
// the MAC key of the database. Each record (key id, epoch, session) and each set
// of pre-parameters is sealed under a random key of its own, which is sealed in
// an entry of its own. That is the epoch key of the design, finer grained, so
// that one losing session can be destroyed alone.
//
// # Layout
//
//	database key                            value                           sealed under
//	H                                       header: parameters, salt,       plain; the data key in it
//	                                        wrapped data key, checksum      under the passphrase
//	S                                       state: see Integrity            sealing key
//	k <key id> 00 <epoch u64> <session 32>  record key, 32 bytes            sealing key
//	r <same suffix>                         record without its share        record key
//	d <same suffix>                         share                           record key
//	p <id u64>                              pre-parameters key, 32 bytes    sealing key
//	q <id u64>                              pre-parameters                  their key
//	b <signature id>                        content hash, digest            sealing key
//	t <key id>                              empty                           sealing key
//
// Integers are big endian. A sealed value is: format version (1 byte), nonce
// (24 random bytes), ciphertext and tag. Its associated data are a domain, the
// format version and the database key, so a value moved to another key does not
// open. Key ids, epochs, sessions and signature ids are public and stand in the
// database keys in plain. Nothing depends on the chain id: a chain that was
// exported and starts again keeps its shares.
//
// # Integrity
//
// goleveldb recovers from damage by leaving out what it cannot read. A node that
// lost a binding might sign two digests for one request, so nothing may be left
// out silently: the state entry, rewritten in every batch, counts the batches
// (the generation) and the entries, and holds the XOR of the MACs of all
// entries. The file MARK beside goleveldb's files holds the last generation that
// was acknowledged to a caller, written and synced after the batch. Open reads
// everything, opens every entry once, compares, and refuses what does not match
// before it changes any file. A batch that a crash tore off the end of the
// journal was never acknowledged, and is rightly absent.
//
// # Destruction
//
// Destroying deletes the wrapped keys, synced, in the batch that deletes the
// entries. Then goleveldb compacts everything, which drops deleted values from
// its tables and replaces its journal, and is closed and opened again, because
// only opening removes obsolete files for certain; the lock on the folder is
// held throughout. The state says that this is to be done until it is done, so
// a crash in between is made up for at the next Open. Afterwards no file of the
// database holds the wrapped keys. What a file system, a solid state disk or a
// backup keeps of removed files is out of reach; without the passphrase it is
// worth nothing. The compaction rewrites the tables, so destroying takes time in
// proportion to the size of the database, bindings included.
//
// # Who owns what
//
// A DB is safe for concurrent use; one lock serialises writers, and keeps
// readers out during destruction, since goleveldb keeps deleted values that an
// iterator may still read. One process at a time opens a folder. The caller owns
// and wipes the passphrases it passes and the secrets it gets. After a write
// failed on disk a DB accepts no more writes until it is opened again: what the
// disk has is then unknown. The package reads no clock and starts no goroutine;
// goleveldb's own end with Close, the last (its pool drain) up to a second later.
package storage
