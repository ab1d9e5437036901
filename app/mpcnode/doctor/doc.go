// Package doctor says what is wrong with a node's part in MPC, and what to do about it.
//
//	files (opened and measured by package cli) ┐
//	                                           ├─► Facts ─► Examine ─► Report
//	the running node (mpcnode.Checkup)         ┘
//
// Facts are collected elsewhere; Examine reads nothing and changes nothing, so that the
// same facts always give the same findings. Each finding is one line: ok, a warning, or a
// problem, with what to type. Reasons are those of mpc/types where one fits: the same word
// that stands in errors, events, logs and metrics.
//
// A problem keeps the node from its part, or keeps what Facts.For names from being done. A
// warning does not, yet.
package doctor
