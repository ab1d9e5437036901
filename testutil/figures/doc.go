// Command figures runs the benchmarks, prints what they measured as tables, and takes
// it over into the documents:
//
//	go run ./testutil/figures measure   # make bench: to build/bench
//	go run ./testutil/figures publish   # make bench-publish: from there into the documents
//
// A benchmark is a test whose name begins with TestBench. It prints lines like
//
//	bench sign-3-of-4 ours=1.50s base=1.48s ratio=1.01 most=1.15
//
// and fails where a bar is too high. What it measured is kept in a file of its own, in
// place of what it measured before: one can be measured again, and what was interrupted
// goes on with those that are missing. A benchmark that did not run to its end, or failed,
// has none. All of them are published, measured on one machine, or nothing is. The commit of
// each is named: what was measured with changes that no commit has, nobody could measure again,
// and is refused. No
// figure in a table is written by hand: a test compares the documents with
// testutil/figures/measured.txt.
package main
