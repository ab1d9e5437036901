package ethereum

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const (
	// maxTypes bounds the types of one payload. The hash of a type is over the text of all
	// that it needs, so the work is at most this many times the payload.
	maxTypes = 32
	// maxFields bounds the fields of one type: the name of each is compared with those
	// before it. No contract has a struct of so many.
	maxFields = 256
	// maxDimensions bounds arrays of arrays.
	maxDimensions = 4
)

// structTypes are the struct types of typed data.
type structTypes map[string][]field

// field is one of a struct.
type field struct {
	name string
	// written is the type as it stands there, which is hashed.
	written string
	typ     fieldType
}

// fieldType is a base type, or arrays of it.
type fieldType struct {
	base string
	// dimensions are the lengths of the arrays, the innermost first; -1: any.
	dimensions []int
}

var (
	fieldTypeForm = regexp.MustCompile(`^([A-Za-z_$][A-Za-z0-9_$]*)((?:\[[0-9]*\])*)$`)
	// reservedForm: no struct may have the name of what is a type already, or looks like one.
	reservedForm = regexp.MustCompile(`^(address|bool|string|function|bytes[0-9]*|u?int[0-9]*|u?fixed[0-9x]*)$`)
)

// domainFields are those that a domain may have, in this order.
var domainFields = []field{
	{name: "name", written: "string"}, {name: "version", written: "string"}, {name: "chainId", written: "uint256"},
	{name: "verifyingContract", written: "address"}, {name: "salt", written: "bytes32"},
}

// names lists the types, ascending: who refuses them says the same everywhere.
func (t structTypes) names() []string { return slices.Sorted(maps.Keys(t)) }

func readTypes(v any) (structTypes, error) {
	declared, ok := v.(map[string]any)
	if !ok || len(declared) == 0 || len(declared) > maxTypes {
		return nil, bad("types is an object of 1 to %d types", maxTypes)
	}
	types := make(structTypes, len(declared))
	for _, name := range slices.Sorted(maps.Keys(declared)) {
		if reservedForm.MatchString(name) {
			return nil, bad("no struct can have the name %s", name)
		}
		list, ok := declared[name].([]any)
		if !ok || len(list) == 0 || len(list) > maxFields {
			return nil, bad("type %.64s is a list of 1 to %d fields", name, maxFields)
		}
		for _, f := range list {
			read, err := readField(f)
			if err != nil {
				return nil, err
			}
			if slices.ContainsFunc(types[name], func(other field) bool { return other.name == read.name }) {
				return nil, bad("type %.64s has two fields %.64s", name, read.name)
			}
			types[name] = append(types[name], read)
		}
	}
	return types, types.checkNames()
}

func readField(v any) (field, error) {
	object, _ := v.(map[string]any)
	name, named := object["name"].(string)
	written, typed := object["type"].(string)
	if !named || !typed || len(object) != 2 || !identifierForm.MatchString(name) {
		return field{}, bad("a field is an object of name and type")
	}
	parts := fieldTypeForm.FindStringSubmatch(written)
	if parts == nil {
		return field{}, bad("%.64q is no type", written)
	}
	f := field{name: name, written: written, typ: fieldType{base: parts[1]}}
	for _, length := range strings.FieldsFunc(strings.ReplaceAll(parts[2], "[]", "[-1]"), func(c rune) bool { return c == '[' || c == ']' }) {
		n, err := strconv.Atoi(length)
		if err != nil || n == 0 || strconv.Itoa(n) != length {
			return field{}, bad("%.64q: an array has a length without zeros in front, or none", written)
		}
		f.typ.dimensions = append(f.typ.dimensions, n)
	}
	if len(f.typ.dimensions) > maxDimensions {
		return field{}, bad("%.64q: at most %d dimensions are possible", written, maxDimensions)
	}
	return f, nil
}

// checkNames looks for fields of types that there are not.
func (t structTypes) checkNames() error {
	for _, name := range t.names() {
		for _, f := range t[name] {
			if _, declared := t[f.typ.base]; !declared && !isAtomic(f.typ.base) {
				return bad("field %.64s of %.64s is of the unknown type %.64s", f.name, name, f.typ.base)
			}
		}
	}
	return nil
}

// checkDomain: the domain says something, in the fields that EIP-712 has for it.
func (t structTypes) checkDomain() error {
	left := domainFields
	for _, f := range t[domainType] {
		i := slices.IndexFunc(left, func(d field) bool { return d.name == f.name && d.written == f.written })
		if i < 0 {
			return bad("%s has some of the fields name, version, chainId, verifyingContract and salt, in this order and of their types", domainType)
		}
		left = left[i+1:]
	}
	if len(t[domainType]) == 0 {
		return bad("types lacks %s", domainType)
	}
	return nil
}

// checkUsed looks for types that neither the domain nor the message is made of: they
// would be no part of what is signed.
func (t structTypes) checkUsed(primary string) error {
	used := t.needs(primary)
	for _, name := range t.names() {
		if name != domainType && !slices.Contains(used, name) {
			return bad("the type %.64s is not used", name)
		}
	}
	return nil
}

// needs lists a struct and all others that it is made of, ascending.
func (t structTypes) needs(name string) []string {
	found := []string{name}
	for i := 0; i < len(found); i++ {
		for _, f := range t[found[i]] {
			if _, isStruct := t[f.typ.base]; isStruct && !slices.Contains(found, f.typ.base) {
				found = append(found, f.typ.base)
			}
		}
	}
	slices.Sort(found)
	return found
}

// text is what the type of a struct is hashed of: itself, then what it needs, ascending.
func (t structTypes) text(name string) string {
	var b strings.Builder
	t.write(&b, name)
	for _, other := range t.needs(name) {
		if other != name {
			t.write(&b, other)
		}
	}
	return b.String()
}

func (t structTypes) write(b *strings.Builder, name string) {
	b.WriteString(name)
	for i, f := range t[name] {
		b.WriteByte("(,"[min(i, 1)])
		b.WriteString(f.written)
		b.WriteByte(' ')
		b.WriteString(f.name)
	}
	b.WriteByte(')')
}
