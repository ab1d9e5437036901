package doctor

// Examine says what is wrong.
func Examine(f Facts) Report {
	r := &Report{}
	if !f.Files.Enabled {
		r.advise("mpc", Problem, "", "set enabled = true in section [mpc] of app.toml and start the node again",
			"MPC is switched off: the node does not even pass messages of others on")
	}
	examineNode(r, f)
	examineIdentity(r, f)
	examineValidator(r, f)
	examineSigner(r, f)
	examinePassphrase(r, f)
	examineDatabase(r, f)
	examineLeftovers(r, f)
	examineDisks(r, f)
	examineClock(r, f)
	examinePools(r, f)
	examineShares(r, f)
	examinePeers(r, f)
	examineParticipants(r, f)
	examineVersions(r, f)
	examineKey(r, f)
	examineRequest(r, f)
	examinePurpose(r, f)
	return *r
}

// takesPart says whether the node has, or should have, an identity.
func (f *Facts) takesPart() bool {
	return f.Files.IdentityKeys > 0 || f.Files.IdentityError != nil || f.Files.HasDatabase || f.Files.DatabaseError != nil
}

// needs is Problem if one of these purposes was named, Warning otherwise.
func (f *Facts) needs(purposes ...Purpose) Level {
	for _, p := range purposes {
		if f.For == p {
			return Problem
		}
	}
	return Warning
}
