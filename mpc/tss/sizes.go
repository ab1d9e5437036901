package tss

// Sizes of the numbers in the messages, in bytes. An encoding without leading
// zeros is never longer than the number's bound.
const (
	// scalarBytes: below the group order q or the field prime, both 256 bits.
	scalarBytes = 32
	// modulusBytes: a Paillier modulus N or an auxiliary modulus NTilde, and
	// everything modulo one of them; both have exactly 2048 bits.
	modulusBytes = 256
	// squareBytes: modulo N^2.
	squareBytes = 2 * modulusBytes
	// q3Bytes: at most q^3.
	q3Bytes = 3 * scalarBytes
	// q7Bytes: at most q^7.
	q7Bytes = 7 * scalarBytes
	// blindBytes: below 2 q^3 NTilde, one more byte for the factor 2.
	blindBytes = q3Bytes + modulusBytes + 1
	// sigmaBytes: below q N NTilde.
	sigmaBytes = scalarBytes + 2*modulusBytes
	// facZBytes: below q^3 sqrt(N).
	facZBytes = q3Bytes + modulusBytes/2
	// facVBytes: below 2 q^3 N NTilde, one more byte for the factor 2.
	facVBytes = q3Bytes + 2*modulusBytes + 1
	// challengeBytes: the 80 choice bits of the modulus proof below a leading 1.
	challengeBytes = 11
	// fieldBytes is what protobuf adds to a field: one byte of tag (all field
	// numbers are below 16) and up to two of length (no field reaches 16 KiB).
	fieldBytes = 3
)

// Numbers of repeated fields.
const (
	// dlnParts: two lengths and two lists of 128.
	dlnParts = 2 + 2*dlnIterations
	// dlnIterations is the number of rounds of the library's DLN proof.
	dlnIterations = 128
	// modIterations is the number of rounds of the library's modulus proof.
	modIterations = 80
	// modParts: W, 80 X, A, B, 80 Z.
	modParts = 2*modIterations + 3
	// facParts: P Q A B T Sigma Z1 Z2 W1 W2 V.
	facParts = 11
	// paillierProofParts is the number of rounds of the Paillier key proof.
	paillierProofParts = 13
	// rangeParts: Z U W S S1 S2.
	rangeParts = 6
	// bobParts: Z ZPrm T V W S S1 S2 T1 T2; with check also a point.
	bobParts, bobWCParts = 10, 12
)

// Longest bodies of honest messages: every number at its bound, every field
// with its overhead.
const (
	// 133 695: commitment, N, NTilde, h1, h2, two DLN proofs.
	maxKG1 = scalarBytes + 4*modulusBytes + 5*fieldBytes +
		2*(2*(1+fieldBytes)+2*dlnIterations*(modulusBytes+fieldBytes))
	// 3 655: share, and the proof that N has no small factor.
	maxKG2M1 = scalarBytes + 5*modulusBytes + sigmaBytes + 2*facZBytes + 2*blindBytes + facVBytes +
		(1+facParts)*fieldBytes
	// 41 727 and 70 for each coefficient: the modulus proof, and in the
	// decommitment one random number and a point for each coefficient.
	maxModProof   = (1+2*modIterations)*modulusBytes + 2*challengeBytes + modParts*fieldBytes
	maxKG2M2Point = 2 * (scalarBytes + fieldBytes)
	// 3 367: the Paillier key proof.
	maxKG3 = paillierProofParts * (modulusBytes + fieldBytes)

	// 2 263: C; Z W S, U, S1, S2.
	maxS1M1 = squareBytes + 3*modulusBytes + squareBytes + (q3Bytes + 1) + blindBytes + (1+rangeParts)*fieldBytes
	// One proof of Bob: Z ZPrm T W S, V, S1, T1, S2 T2.
	maxBob = 5*modulusBytes + squareBytes + (q3Bytes + 1) + (q7Bytes + 1) + 2*blindBytes
	// 6 800: C1, C2, two proofs, a point.
	maxS2 = 2*squareBytes + 2*maxBob + 2*scalarBytes + (2+bobParts+bobWCParts)*fieldBytes
	// A commitment, theta or s_i.
	maxScalarMessage = scalarBytes + fieldBytes
	// Decommitment of a point; proof: point and T.
	maxS4 = 6 * (scalarBytes + fieldBytes)
	// Decommitment of two points; proofs: point and T, point, T and U.
	maxS6 = 12 * (scalarBytes + fieldBytes)
	// Decommitment of two points.
	maxS8 = 5 * (scalarBytes + fieldBytes)

	// Public key, commitment, the library's session id.
	maxDG1 = 4 * (scalarBytes + fieldBytes)
	// 175 387: round 1 of a keygen without its commitment, and the modulus proof.
	maxDG2M1 = maxKG1 - scalarBytes - fieldBytes + maxModProof
	// The proof that N has no small factor.
	maxDG4M1 = maxKG2M1 - scalarBytes - fieldBytes
	// An acknowledgement says nothing but that it was sent.
	maxACK = 0
)
