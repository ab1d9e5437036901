// Command figures runs the benchmarks, prints what they measured as tables, and takes
// it over into the documents:
//
//	go run ./testutil/figures measure   # make bench: to build/bench.txt
//	go run ./testutil/figures publish   # make bench-publish: from there into the documents
//
// A benchmark is a test whose name begins with TestBench. It prints lines like
//
//	bench sign-3-of-4 ours=1.50s base=1.48s ratio=1.01 most=1.15
//
// and fails where a bar is too high. A measurement in which one did not run to its end, or
// failed, is not published. No figure in a document is written by hand: a test
// compares them with testutil/figures/measured.txt.
package main
