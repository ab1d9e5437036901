package payload

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"

	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
)

var anyType = reflect.TypeFor[codectypes.Any]()

// anysIn finds what stands in a message with its type, whatever the message's own code
// says of that. A document may have thousands of parts that carry nothing: what their type
// shows is not looked for in each of them.
func anysIn(v reflect.Value) (found []*codectypes.Any) {
	if !mayCarry(v.Type()) {
		return nil
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return nil
		}
		return anysIn(v.Elem())
	case reflect.Struct:
		if v.Type() == anyType {
			a := v.Interface().(codectypes.Any)
			return []*codectypes.Any{&a}
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				found = append(found, anysIn(v.Field(i))...)
			}
		}
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return nil
		}
		for i := range v.Len() {
			found = append(found, anysIn(v.Index(i))...)
		}
	case reflect.Map: // in the order of its keys, for the same claims everywhere
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		for _, key := range keys {
			found = append(found, anysIn(v.MapIndex(key))...)
		}
	default: // it has no parts
	}
	return found
}

// carriers has what mayCarry found, by type: there are as many as messages have parts.
var carriers sync.Map

// mayCarry says whether something of a type may have an Any in it.
func mayCarry(t reflect.Type) bool {
	if known, ok := carriers.Load(t); ok {
		return known.(bool)
	}
	may := leadsToAny(t, make(map[reflect.Type]bool))
	carriers.Store(t, may)
	return may
}

// leadsToAny follows a type to those of its parts that were not seen yet.
func leadsToAny(t reflect.Type, seen map[reflect.Type]bool) bool {
	if seen[t] {
		return false
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Interface:
		return true
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return leadsToAny(t.Elem(), seen)
	case reflect.Struct:
		if t == anyType {
			return true
		}
		for i := range t.NumField() {
			if f := t.Field(i); f.IsExported() && leadsToAny(f.Type, seen) {
				return true
			}
		}
	default: // it has no parts
	}
	return false
}
