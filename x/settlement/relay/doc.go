// Package relay carries x/settlement's transactions to the other chain, and back what
// became of them:
//
//	query open ──► SendTransaction ──► receipt, confirmed ──► MsgReportReceipt
//	                     │ nothing for BumpAfter blocks, or not signed for long
//	                     └──► MsgBumpFee
//
// What somebody else sent for one of its nonces, with a signature that this chain does not
// have, it finds in the other one's blocks (nonce.go).
//
// What the other chain takes back after it was reported it sends again (taken_back.go).
//
// It keeps nothing: what is to be done follows from what both chains say, so that it can
// be stopped and started at any time, and as many may run as there are validators. It
// holds no key of the other chain; what it signs are messages of its operator's account, or of
// one that the operator lets send them (grant.go).
package relay
