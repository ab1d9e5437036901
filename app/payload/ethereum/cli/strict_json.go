package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
)

// decodeStrictly reads one JSON document, of which nothing is passed over.
func decodeStrictly(data []byte, into any) error {
	d := json.NewDecoder(strings.NewReader(string(data)))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more stands behind the JSON document")
	}
	return checkNames(json.NewDecoder(strings.NewReader(string(data))), reflect.TypeOf(into))
}

// checkNames refuses names that are there twice, or are spelled in another way than those of
// the fields. Of "to" and "To" package json takes the last, where whoever looks at the
// document sees the first. The document is one that was decoded into the type.
func checkNames(d *json.Decoder, t reflect.Type) error {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	opening, err := d.Token()
	if err != nil {
		return err
	}
	switch opening {
	case json.Delim('['):
		for d.More() {
			if err := checkNames(d, t.Elem()); err != nil {
				return err
			}
		}
	case json.Delim('{'):
		if err := checkObject(d, t); err != nil {
			return err
		}
	default:
		return nil
	}
	_, err = d.Token() // the closing one
	return err
}

func checkObject(d *json.Decoder, t reflect.Type) error {
	fields := fieldsOf(t)
	seen := make(map[string]bool)
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return err
		}
		name := fmt.Sprint(token)
		field, known := fields[name]
		switch {
		case !known:
			return fmt.Errorf("unknown field %.64q: small and capital letters are not the same", name)
		case seen[name]:
			return fmt.Errorf("field %q is there twice: leave one out", name)
		}
		seen[name] = true
		if err := checkNames(d, field); err != nil {
			return err
		}
	}
	return nil
}

// fieldsOf are the types of a struct's fields by their names in JSON, all of which have one.
func fieldsOf(t reflect.Type) map[string]reflect.Type {
	fields := make(map[string]reflect.Type, t.NumField())
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		fields[name] = t.Field(i).Type
	}
	return fields
}
