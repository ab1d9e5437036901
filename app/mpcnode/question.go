package mpcnode

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// Question is what a checkup is to look at beside the node.
type Question struct {
	// Key is the id of a key that participants are asked about too, Request one of a key,
	// signature or reshare; empty: none.
	Key, Request string
	// Held: the READY keys of the node are to be listed.
	Held bool
	// Choose: whom would the chain choose for a keygen, or, with a key, for a reshare of it?
	// Committee are the operators that the request is to name, none: it names nobody;
	// Threshold is its t, 0: the key's, or the lowest.
	Choose    bool
	Committee []string
	Threshold uint32
}

// The names of its fields in a URL; all may be missing.
const (
	paramKey       = "key"
	paramRequest   = "request"
	paramHeld      = "held"
	paramChoose    = "choose"
	paramCommittee = "participants"
	paramThreshold = "threshold"
)

// encode writes it into a URL.
func (q Question) encode() string {
	return urlQuery(
		paramKey, q.Key, paramRequest, q.Request, paramHeld, strconv.FormatBool(q.Held), paramChoose, strconv.FormatBool(q.Choose),
		paramCommittee, strings.Join(q.Committee, ","), paramThreshold, strconv.FormatUint(uint64(q.Threshold), 10),
	)
}

// readQuestion reads it back.
func readQuestion(req *http.Request) (Question, error) {
	q := Question{
		Key: req.FormValue(paramKey), Request: req.FormValue(paramRequest),
		Held: req.FormValue(paramHeld) == "true", Choose: req.FormValue(paramChoose) == "true",
	}
	if len(q.Key) > types.MaxIDBytes || len(q.Request) > types.MaxIDBytes {
		return q, errors.New("an id is too long")
	}
	if names := req.FormValue(paramCommittee); names != "" {
		q.Committee = strings.Split(names, ",")
	}
	if text := req.FormValue(paramThreshold); text != "" {
		threshold, err := strconv.ParseUint(text, 10, 32)
		if err != nil {
			return q, fmt.Errorf("%s: %w", paramThreshold, err)
		}
		q.Threshold = uint32(threshold)
	}
	return q, nil
}
