package types

// Binding ties a sign request to what it signs, for ever.
type Binding struct {
	SignatureID string
	// Content is the hash of what the request is bound to beside its digest.
	Content Hash
	Digest  []byte
}

// Binding of a sign request, and of no other kind.
func (r *Request) Binding() Binding {
	return Binding{SignatureID: r.ID.ID, Content: r.BindingHash(), Digest: r.Digest}
}
