// Package checkpoint is a module of the example chain. Every Interval blocks it has the
// validators sign the hash of the block, with a key that only they have together, so
// that somebody who knows nothing but the public key can tell which chain is theirs.
//
// It asks for the key by itself, counts on to another one if that fails, and hears of
// signatures by hooks; what became of the key it hears by them, too, or when it asks the
// next time. Nothing here waits: what is asked for comes some blocks later. What is signed is a kind of payload of its own (Point), which every validator
// reads before it signs: chain, height and hash, one hash for each height.
package checkpoint
