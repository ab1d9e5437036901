// Package keeper is the state machine of x/settlement. It has the validators sign, with
// keys that x/mpc keeps for them, what another chain is told of this one.
//
//	MsgProposeBatch ── more than 2/3 of the power ──► Batch, Transaction
//	                                                      │ Attempt: x/mpc KeySign, checked by CheckSign
//	            relay ◄── raw transaction ◄── AfterSignatureReady
//	              │
//	other chain ◄─┘──► receipt ──► MsgReportReceipt ── more than 2/3 ──► included
//
// It asks x/mpc by types.MPC only, hears of results by hooks (hooks.go), and has x/mpc
// refuse whatever is not a transaction of its own (policy.go). Nothing here runs by itself
// in a block: all work is paid for by a message, or done by a hook.
package keeper
