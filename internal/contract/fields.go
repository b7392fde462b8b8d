package contract

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
)

// Fields picks members of a record: "callId", and those of its details
// ("details.queue").
type Fields struct{ record, details []string }

// PickFields makes Fields of names. unknown is the first that a record has not;
// empty: all are known.
func PickFields(names []string) (f Fields, unknown string) {
	for _, name := range names {
		inner, ok := strings.CutPrefix(name, "details.")
		switch {
		case ok && slices.Contains(jsonNames(reflect.TypeFor[Details]()), inner):
			f.details = append(f.details, inner)
		case !ok && slices.Contains(jsonNames(reflect.TypeFor[Record]()), name):
			f.record = append(f.record, name)
		default:
			return f, name
		}
	}
	return f, ""
}

// jsonNames are the members of a type, in their order.
func jsonNames(t reflect.Type) (out []string) {
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		out = append(out, name)
	}
	return out
}

// Append appends of a record's JSON what is picked, in the order of the whole.
func (f Fields) Append(dst, whole []byte) ([]byte, error) {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(whole, &all); err != nil {
		return dst, err
	}
	if len(f.details) > 0 && !slices.Contains(f.record, "details") {
		var inner map[string]json.RawMessage
		if err := json.Unmarshal(all["details"], &inner); err != nil {
			return dst, err
		}
		all["details"] = pick(nil, inner, f.details, reflect.TypeFor[Details]())
		return pick(dst, all, append(f.record[:len(f.record):len(f.record)], "details"), reflect.TypeFor[Record]()), nil
	}
	return pick(dst, all, f.record, reflect.TypeFor[Record]()), nil
}

func pick(dst []byte, all map[string]json.RawMessage, names []string, of reflect.Type) []byte {
	dst = append(dst, '{')
	begin := len(dst)
	for _, name := range jsonNames(of) {
		if value, ok := all[name]; ok && slices.Contains(names, name) {
			if len(dst) > begin {
				dst = append(dst, ',')
			}
			dst = append(append(append(append(dst, '"'), name...), `":`...), value...)
		}
	}
	return append(dst, '}')
}
