package doctor

// examineLeftovers names what interrupted commands left in the MPC folder, and copies of the
// same kind of name: they have the node's secrets, and no deletion reaches them.
func examineLeftovers(r *Report, f Facts) {
	for _, path := range f.Files.Leftovers {
		r.advise("leftovers", Warning, "",
			"if no command that makes it runs: remove it, as root where it is root's, or move it away if it is kept on purpose",
			"%s may be a copy of identity or shares, which no deletion and no change of the passphrase reaches", path)
	}
}
