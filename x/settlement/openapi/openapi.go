package openapi

import (
	"bytes"
	_ "embed" // the document
	"net/http"

	mpcopenapi "github.com/sequencer-mpc/sequencer/x/mpc/openapi"
)

// Path is where a node serves the document, beside the endpoints that it describes.
const Path = "/sequencer/settlement/v1/openapi.json"

//go:embed openapi.json
var document []byte

// Document is the JSON. It is the caller's.
func Document() []byte { return bytes.Clone(document) }

// Handler answers with the document, as that of x/mpc does.
func Handler() http.Handler { return mpcopenapi.Serve(document) }
