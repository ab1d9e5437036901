package types

// Registered is how many errors the module has.
func Registered() int { return len(registered) }
