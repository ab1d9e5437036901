// Package fakekind has a kind of payloads for tests of who decodes them: notes, which are
// texts, and need no other chain's library.
package fakekind
