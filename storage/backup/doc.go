// Package backup writes what a node must not lose into files in the age format
// (age-encryption.org/v1), checks them, and puts them back.
//
// # A folder of backups
//
//	000001.age   full: everything
//	000001.json  its manifest
//	000002.age   what changed since 000001
//	000002.json  its manifest
//	...
//
// A manifest says, in plain, what the node had: the records by key, epoch and
// session, each with the number of the file that holds its content, the tombstones,
// the number of bindings, and the identity's public keys. That is public, and
// stands in plain in the names of the database's entries as well; nothing secret
// can be computed from a manifest: fingerprints are over records without their
// shares. It holds the SHA-256 of its file and of the file before, so that files
// are a chain: one that is changed, missing or out of order breaks it. Files that
// are cut off the end leave a shorter chain that is whole; whoever cares notes the
// last hash elsewhere.
//
// A full file needs none before it. Whoever removes what is before the newest full one
// has a chain that begins there; whatever is broken before it does not matter to
// restoring. Files of one chain may be encrypted to different recipients or passphrases.
//
// The manifest is inside the file too, without the file's own hash. age encrypts
// and authenticates but does not sign: whoever knows a recipient can make a file.
// So what is restored counts only if it fits the chain (see Verify in app/mpcnode),
// and the owner keeps the folder from others.
//
// # A file
//
// age, to X25519 recipients or a passphrase (scrypt). The plaintext is a magic and
// frames: type (1 byte), length (4 bytes, big endian), content.
//
//	m  manifest, JSON            first
//	i  seeds of the identity     32 bytes each, oldest first
//	t  tombstone: key id
//	b  binding: length of the id (1 byte), id, content hash, digest
//	r  record: length of the record (4 bytes), record as package storage encodes it, share
//	e  nothing                   last
//
// Tombstones are in each file; bindings where they differ from those of the file
// before, all of them; a record where it is new or changed.
//
// So a file of changes grows with the bindings, by some 120 bytes for each request that
// was ever signed: a million of them are 120 MB, once for each backup. To save only the
// new ones a manifest would have to tell which those are, and goleveldb keeps them by id
// and not by age. Who makes backups often of a node that signs much removes old full
// chains, or keeps them on a file system that finds what is the same.
//
// A manifest takes at most 16 MiB, some 48,000 records; a node that has more is told so
// (ErrTooLarge) before anything is written. They would be 1.4 GB of shares.
//
// # Where a file of changes may not follow
//
// If what it would lead back to is gone from the folder, or was changed, Head says so:
// the next file is full then, with the next number, and nothing that is left is written
// over.
//
// # Where no file may follow at all
//
// Who restores gets what the newest file describes. If the node lacks shares that this one
// has, since it was put back to an older copy or has a new database, another file would
// hide them, and who removes old files then would have them nowhere. LostSince finds that
// out, and Upto opens a folder as it was before such a file. Of a share that was not READY
// the manifest has the session and its request, for a node destroys it when its reshare
// failed, and a copy of before the reshare lacks it: which of both it was only the chain
// can tell. That is version 2 of the manifest. One without such a share is of version 1, and
// one of version 1 with such a share is of a program that did not write of which session it
// is: nobody can tell then, and whoever adds a file says what is not in it.
//
// A node that runs and the command that writes the folder may be two programs. The command
// takes only a manifest that it would write in the same bytes (ParseAnswer): the copy inside
// the file is the node's, and Open compares both.
//
// # What is not in it
//
// Keygen pre-parameters are not: each set may be used once, and a copy would bring
// back what was used. Nonces and presignatures are not, because they are never on
// disk. So no restored database can use either a second time. A machine whose memory is
// put back can: a snapshot of one that runs is no backup, and does harm.
//
// # Why restoring cannot make a node sign two digests for one request
//
// Before a node says Ready for a sign request it binds the request's id to its
// digest, durably. Bindings that are in the backup come back. Those made since
// are lost, and must not be needed:
//
//   - A node signs only what it finds open in committed state, with the digest that
//     stands there. Consensus gave each id one content: the keeper refuses the same
//     id with another one for ever, since pruning keeps id and content hash. So
//     while the chain goes on, each later session for the id is for the same digest.
//   - A request that is finished or expired is not open: nothing is signed for it
//     again.
//   - Each session draws fresh nonces, in memory, from the system's randomness. Two
//     signatures for one request, before and after a restore, share none.
//
// What remains is a chain that is itself put back behind the commit of a request,
// by its operators, and then given the same id with another digest. The binding is
// there against that; a node restored from a backup older than the request has it
// no more. Even then no nonce is used twice: the harm is a second signature that
// consensus asked for. Whoever puts a chain back, and restores an epoch from a backup that
// is older than what is undone, restores the newest one on top, which has the bindings.
//
// # What restoring refuses
//
// A share of an epoch older than a READY one of the database, a record of a key with
// a tombstone, a record that is there with other content. All or nothing is restored, in
// one write, but for what a request is bound to there already: that stays, and a binding
// that differs is left out and named. It has to do with no share, and without one the
// node may have signed either. The pre-parameters of the database go, since it may be an
// older copy. The identity alone can be restored beside any database, which stays as it is.
// Package app/mpcnode refuses before that what is of another node or of another chain.
package backup
