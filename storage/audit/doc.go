// Package audit keeps a log of each use of a key share: a line of JSON when a
// session opens one and another when the session ends; one line when a session takes
// pre-parameters to make one; and one line for each backup,
// restoring, change of the passphrase and new identity. It holds nothing secret.
//
// # The chain
//
// Each line holds the hash of the one before and its own: SHA-256 of its JSON with
// an empty hash. So a line that was changed, put in, taken out or moved is found,
// and Verify names the first one. What no chain of hashes can show is that lines were
// cut off its end: whoever wants to know compares number and hash of the last line
// with those that were noted elsewhere before. Nor does it stop somebody who may
// write the file from making all of it anew, from some line on.
//
// # Files
//
//	audit.log               the newest lines
//	audit-000000000001.log  older ones, named by the number of their first line
//
//	audit.lock              empty; who writes the log holds a lock on it
//
// A file that is full is renamed and the next one begins with a line that holds the
// hash of its last: the chain goes on. Whoever opens the log says how many files are kept
// (Retention). An older one is removed only when a line that names its last one is on disk;
// Verify then says at which line the log begins, and takes a log that begins there without
// such a line for one that was cut off.
//
// # Crashes
//
// A line is written at once, so that a process that is killed loses none. It is on disk
// within FlushInterval, or when Sync returns, which who uses a share waits for: a power
// failure may take the lines of that time, which is a chain cut off its end. Who waits
// while others do shares their sync. A line that a crash tore has no line end. Open cuts it
// off and notes how much it was. A session that began and has no end was under way
// when the node stopped. A disk that fails is asked again, and so is a log that cannot be
// opened; the line after says which lines may be missing, and what an operator did
// meanwhile follows.
//
// Run tells its caller where the log ends on disk. Who keeps that in a place that nobody
// else can write, as a node does in its database, can Compare after a restart: whether
// lines are gone, and whether that place is older than the log. What was used before a
// backup was made that was restored since, it knows again; what was used later it does not,
// and a restoring of the identity alone tells it nothing.
//
// # Figures
//
// On two cores of an AMD EPYC that others use too, 15 microseconds for a line that does
// not wait for the disk (end). A signature takes two; it waits for its first one (begin),
// alone for one sync, and together with others for one that they share:
//
//	go test ./storage/audit -run '^$' -bench Append -benchtime 2000x
package audit
