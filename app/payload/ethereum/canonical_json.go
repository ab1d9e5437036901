package ethereum

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxSafeInteger is the largest integer that every reader of JSON reads as it is written
// (RFC 8785, 3.2.2.3): 2^53 - 1 has 16 digits. Larger ones stand in strings.
const maxSafeInteger = "9007199254740991"

// maxNesting bounds how deep a document may be, structs and arrays together.
const maxNesting = 32

var (
	integerForm    = regexp.MustCompile(`^(0|-?[1-9][0-9]*)$`)
	identifierForm = regexp.MustCompile(`^[A-Za-z_$][A-Za-z0-9_$]*$`)
)

// parseJSON reads one document: objects with names that are identifiers, arrays, strings,
// integers (json.Number) and booleans.
func parseJSON(data []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, bad("decode JSON: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, bad("there is more than one JSON document")
	}
	return v, nil
}

// checkRepeats refuses names that are there twice in an object of a document that parseJSON
// reads. That takes the last of them, where whoever looks at the document sees the first.
func checkRepeats(d *json.Decoder) error {
	opening, err := d.Token()
	if err != nil {
		return bad("decode JSON: %w", err)
	}
	if opening != json.Delim('{') && opening != json.Delim('[') {
		return nil
	}
	seen := make(map[json.Token]bool)
	for d.More() {
		if opening == json.Delim('{') {
			name, err := d.Token()
			if err != nil {
				return bad("decode JSON: %w", err)
			}
			if seen[name] {
				return bad("the name %.64q is there twice in one object", name)
			}
			seen[name] = true
		}
		if err := checkRepeats(d); err != nil {
			return err
		}
	}
	_, err = d.Token() // the closing one
	return err
}

// appendJSON writes a document canonically (RFC 8785): names in order, no white space, no
// escape that need not be. Names are ASCII, so that all readings of "order" agree.
func appendJSON(out []byte, v any, depth int) ([]byte, error) {
	if depth > maxNesting {
		return nil, bad("the JSON is nested deeper than %d", maxNesting)
	}
	switch v := v.(type) {
	case map[string]any:
		return appendObject(out, v, depth)
	case []any:
		return appendArray(out, v, depth)
	case string:
		return appendString(out, v)
	case json.Number:
		if !safeInteger(string(v)) {
			return nil, bad("the number %.32s: only integers up to %s may stand there, write others as strings", string(v), maxSafeInteger)
		}
		return append(out, v...), nil
	case bool:
		if v {
			return append(out, "true"...), nil
		}
		return append(out, "false"...), nil
	}
	return nil, bad("null stands where there must be a value")
}

func safeInteger(n string) bool {
	digits := strings.TrimPrefix(n, "-")
	return integerForm.MatchString(n) &&
		(len(digits) < len(maxSafeInteger) || len(digits) == len(maxSafeInteger) && digits <= maxSafeInteger)
}

func appendObject(out []byte, object map[string]any, depth int) (_ []byte, err error) {
	out = append(out, '{')
	for i, name := range slices.Sorted(maps.Keys(object)) {
		if !identifierForm.MatchString(name) {
			return nil, bad("%.64q is no name of a type or a field", name)
		}
		if i > 0 {
			out = append(out, ',')
		}
		out = append(append(append(out, '"'), name...), '"', ':')
		if out, err = appendJSON(out, object[name], depth+1); err != nil {
			return nil, err
		}
	}
	return append(out, '}'), nil
}

func appendArray(out []byte, array []any, depth int) (_ []byte, err error) {
	out = append(out, '[')
	for i, v := range array {
		if i > 0 {
			out = append(out, ',')
		}
		if out, err = appendJSON(out, v, depth+1); err != nil {
			return nil, err
		}
	}
	return append(out, ']'), nil
}

func appendString(out []byte, s string) ([]byte, error) {
	if !utf8.ValidString(s) {
		return nil, bad("a string is not UTF-8")
	}
	out = append(out, '"')
	for i := range len(s) {
		out = appendCharacter(out, s[i])
	}
	return append(out, '"'), nil
}

func appendCharacter(out []byte, c byte) []byte {
	const hex = "0123456789abcdef"
	if i := strings.IndexByte("\b\t\n\f\r\"\\", c); i >= 0 {
		return append(out, '\\', `btnfr"\`[i])
	}
	if c < 0x20 {
		return append(out, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
	}
	return append(out, c)
}
