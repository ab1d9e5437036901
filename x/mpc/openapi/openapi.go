package openapi

import (
	"bytes"
	_ "embed" // the document
	"net/http"
)

// Path is where a node serves the document, beside the endpoints that it describes.
const Path = "/sequencer/mpc/v1/openapi.json"

//go:embed openapi.json
var document []byte

// Document is the JSON. It is the caller's.
func Document() []byte { return bytes.Clone(document) }

// Handler answers with the document.
func Handler() http.Handler { return Serve(document) }

// Serve answers with a document, this one or that of another module. Pages of other origins may
// read it, as they may what it describes: everybody may know it.
func Serve(document []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Access-Control-Allow-Origin", "*")
		_, _ = w.Write(document) // who asked went away
	})
}
