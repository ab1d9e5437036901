// Package storage keeps what a node must not lose and nobody else may read:
// key shares, sign request bindings, keygen pre-parameters and tombstones (DB),
// and the identity keys in a file (Identity). DB is the Store that the engine
// declares. It is two goleveldb databases in one folder: a small one with the
// keys that records are sealed under, which can be destroyed at the cost of
// rewriting it, and one with everything else.
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
// The folder holds the folders keys and main, and the file MARK.
//
//	in    database key                            value                           sealed under
//	keys  H                                       header: parameters, salt,       plain; the data key in it
//	                                              wrapped data key, checksum      under the passphrase
//	keys  N                                       header of a passphrase that     as H
//	                                              is being changed, see below
//	keys  K                                       state: see Integrity            sealing key
//	keys  k <key id> 00 <epoch u64> <session 32>  record key, 32 bytes            sealing key
//	keys  p <id u64>                              pre-parameters key, 32 bytes    sealing key
//	main  S                                       state: see Integrity            sealing key
//	main  r <key id> 00 <epoch u64> <session 32>  record without its share        record key
//	main  d <same suffix>                         share                           record key
//	main  q <id u64>                              pre-parameters                  their key
//	main  b <signature id>                        content hash, digest            sealing key
//	main  t <key id>                              1 if shares were destroyed      sealing key
//	main  x <key id>                              nothing; there until shares     sealing key
//	                                              that are destroyed are gone
//	main  a                                       head of the audit log           sealing key
//	main  c                                       height u64, chain id: how far   sealing key
//	                                              the chain was
//	main  o                                       height u64, doubted set u64,    sealing key
//	                                              chain id: up to where all
//	                                              attested shares were there
//
// The header is in keys because a wrapped key is what it holds: where the
// passphrase is changed, the old one goes the same way.
//
// Integers are big endian. A sealed value is: format version (1 byte), nonce
// (24 random bytes), ciphertext and tag. Its associated data are a domain, the
// format version and the database key, so a value moved to another key does not
// open; no database key can stand in both databases. Key ids, epochs, sessions
// and signature ids are public and stand in the database keys in plain. Nothing
// depends on the chain id: a chain that was exported and starts again keeps its
// shares.
//
// # Integrity
//
// goleveldb recovers from damage by leaving out what it cannot read. A node that
// lost a binding might sign two digests for one request, so nothing may be left
// out silently. The state of each database, rewritten in each of its batches,
// counts its batches (the generation) and its entries, and holds the XOR of the
// MACs of all its entries and the generation that the other database had then.
// The file MARK holds the last generation of main that was acknowledged to a
// caller, written and synced after the batch of main that ends every write. Open
// reads everything, opens every entry once, and refuses what does not match
// before it changes any file: a database that differs from its own state, or is
// older than MARK says or than the other one knows (ErrEntriesMissing), or is not
// there (ErrFilesDamaged). A batch that a crash tore off the end of a journal was
// never acknowledged, and is rightly absent.
//
// So neither database can be replaced by an older copy. What cannot be told from
// the truth is an older copy of the whole folder, or one of main together with
// MARK that keys has not been written since, or once: that looks as a crash
// would leave it. Never put single files back. The head of the audit log in it
// (AuditHead) tells of an older copy that stands beside a newer log, and the height of
// the chain in it (ChainSeen) of one that stands beside a newer chain. A copy that stands
// beside nothing newer shows as soon as the chain has what was attested since the height up
// to which the database is known to have had every share (Compared). That begins when its
// node is up to date for the first time, so a copy of before then shows nothing: it cannot
// be told from a new database in the place of one that was lost. Databases of before there
// were these entries (c, o) open as ever, and get them; a program of before does not open
// one that has them, nor one whose node was killed while it destroyed a key (x).
//
// # Destruction
//
// Destroying deletes the wrapped keys from keys, synced. Then goleveldb compacts
// all of keys, which drops deleted values from its tables and replaces its
// journal, and is closed and opened again, because only opening removes obsolete
// files for certain; the lock on the folder is held throughout. Afterwards no
// file holds the wrapped keys. Only then is what they sealed deleted from main,
// which needs no haste: the bytes stay until goleveldb compacts its tables by and
// by, and nothing opens them. What a file system, a solid state disk or a backup
// keeps of removed files is out of reach; without the passphrase it is worth
// nothing.
//
// So destroying takes time in proportion to the number of records and sets that
// are there (some 150 bytes each), not to their size, nor to the bindings.
//
// # Crashes
//
// A write takes up to four steps, each synced before the next begins:
//
//  1. a batch of keys: new wrapped keys, or deleted ones
//  2. the files of keys are rewritten, if it deleted some
//  3. a batch of main: everything else
//  4. MARK
//
// Each batch of keys is followed by one of main, which notes the generation of
// keys. If Open finds one that main has not seen, a crash came in between, before
// anybody was answered, and Open makes up for it, in these steps again:
//
//   - A wrapped key without what it is for is destroyed. Its write was not
//     acknowledged, nothing was ever stored under it, and no further write was
//     made: the first step after a crash is this one.
//   - What is sealed under a key that is gone is deleted. Only destroying deletes
//     keys, and what is destroyed must not come back; nothing can open it any
//     more.
//   - Files that may hold deleted keys are rewritten.
//
// If there is neither a crash nor damage, each wrapped key has what it is for and
// the other way round; anything else is ErrEntriesMissing. DestroyKey leaves its
// tombstone in the third step: after a crash the records may be gone without one,
// and calling it again adds it. That there were shares it notes in a write of its own
// before (x), so that the tombstone says so in either case. A write to main alone is one
// atomic batch.
//
// # Changing the passphrase
//
// One passphrase opens the identity file and the database, and no write covers
// both. ChangePassphrase takes three steps, with the database locked:
//
//  1. N: the data key, wrapped under the new passphrase; either one opens the
//     database now
//  2. the identity file, sealed anew, takes the place of the old one at once
//  3. H becomes what N was, N goes, and the files of keys are rewritten, as in
//     destruction: no file holds the old wrapping
//
// The second step decides. A crash before it leaves the old passphrase for both,
// one after it the new one. Whoever then opened both with one passphrase calls
// SettlePassphrase, as a node does at start, which drops the other wrapping; or
// the change is asked for again. The data key stays: whoever has the old
// passphrase and an old copy of the folder has what was in it, and can read the
// records of a later copy too. Against that only new shares help.
//
// # Bindings
//
// A binding is kept whole for ever: id, a hash of what it is bound to (package mpc says
// what: the key, and not its epoch), and digest. It takes some
// 120 bytes on disk (BenchmarkOpen: ids of 19 bytes that begin alike, digests of 32). To keep id
// and content hash alone, once the chain has pruned the request, would save 32 of
// them, and make another kind of entry: it is not worth that.
//
// What a block asks for is bound in one write: each takes a disk its time (BenchmarkBindMany),
// and who waits for hundreds of them answers nobody.
//
// # Restoring
//
// Restore stores what is missing of a backup (package backup) in one write of the
// four steps above, or nothing. What is there stays; a record that is there without
// its share gets it. An older epoch is not put beside a newer READY one: after a
// reshare the old share is worth nothing to the chain and something to a thief. A
// binding that differs is left out and named, for an id is bound to one thing only, here
// to what the database has; package backup says why bindings that are in no backup are
// not needed. Pre-parameters go where a record was missing: the database may
// be an older copy, and have sets that were used since.
//
// # Figures
//
// On two cores of an AMD EPYC that others use too; the second column with
// TMPDIR in memory (/dev/shm), which leaves the disk out:
//
//	go test ./storage -run '^$' -bench 'Destroy|Bind' -count 3
//	go test ./storage -run '^$' -bench Open -benchtime 3x
//
//	BenchmarkBind                                     0.3 to 0.5 ms    0.02 ms
//	BenchmarkBindMany, 200 in one write               12 ms where one alone took 2 ms
//	BenchmarkDestroy, nothing beside                  5 to 10 ms       2.0 ms
//	BenchmarkDestroy, beside 100,000 bindings and
//	  1,000 records with shares of 30 KB              7 to 20 ms       2.5 ms
//	BenchmarkOpen, 10,000 bindings                    0.03 s, 1.2 MB on disk
//	BenchmarkOpen, 100,000 bindings                   0.2 to 0.3 s, 12 MB
//	BenchmarkOpen, 1,000,000 bindings                 2.2 s, 120 MB
//
// BenchmarkOpen is without Argon2id, which takes its own time once. What varies
// is the disk: destroying makes and syncs several small files.
//
// # Who owns what
//
// A DB is safe for concurrent use; one lock serialises writers, and keeps
// readers out during destruction, since goleveldb keeps deleted values that an
// iterator may still read. One process at a time opens a folder, or several look at
// it (OpenToLook): the lock on keys is taken first and let go last, and main is not
// touched without it. The caller owns and wipes the passphrases it passes and the
// secrets it gets. After a write
// failed on disk a DB accepts no more writes until it is opened again: what the
// disk has is then unknown. The package reads no clock and starts no goroutine;
// goleveldb's own end with Close or a destruction, the last (its pool drain) up
// to a second later.
package storage
