// Package payload has the kinds of payloads that need nothing but the Cosmos SDK: sign
// documents of Cosmos transactions in SIGN_MODE_DIRECT. Kinds for other chains live where
// only applications that want them import them.
package payload
