package types

// ProofOfPossession is what an identity key signs to be registered.
func ProofOfPossession(chainID string, operator Operator, identityKey []byte) []byte {
	return newSignBytes("identity").str(chainID).str(string(operator)).bytes(identityKey).buf
}

// HelloSignBytes is what binds an operator to the peer id of a connection.
func HelloSignBytes(chainID string, operator Operator, identityVersion uint32, peerID string) []byte {
	return newSignBytes("hello").str(chainID).str(string(operator)).u64(uint64(identityVersion)).str(peerID).buf
}
