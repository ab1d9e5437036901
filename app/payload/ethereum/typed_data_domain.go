package ethereum

// addDomainType says the type of the domain where types do not have it, as ethers.js writes
// typed data: the fields that the domain has, in the order of EIP-712. Those that no domain
// has are refused afterwards. It is for who makes a payload alone: what is signed says all.
func addDomainType(document any) {
	root, ok := document.(map[string]any)
	if !ok {
		return
	}
	types, hasTypes := root["types"].(map[string]any)
	domain, hasDomain := root["domain"].(map[string]any)
	if _, said := types[domainType]; said || !hasTypes || !hasDomain {
		return
	}
	var fields []any
	for _, f := range domainFields {
		if _, there := domain[f.name]; there {
			fields = append(fields, map[string]any{"name": f.name, "type": f.written})
		}
	}
	types[domainType] = fields
}
