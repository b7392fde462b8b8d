package contract_test

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/internal/fixture"
	"github.com/voipd/voipd/record"
)

// TestEveryFieldIsShown: a record with a value in each field is shown with a
// value in each field, so that a new field of record.Details cannot be left out
// by mistake.
func TestEveryFieldIsShown(t *testing.T) {
	var r record.Record
	fixture.Fill(reflect.ValueOf(&r).Elem(), "x", 1)
	r.Details.Recordings[0].State = record.Ready
	out := contract.FromRecord(r)
	out.Details.Returned = &contract.Returned{By: "x"} // which stands in no record
	for _, path := range zeros("record", reflect.ValueOf(out)) {
		t.Errorf("%s is empty", path)
	}
	if have, want := reflect.TypeOf(out.Details).NumField()-1, reflect.TypeOf(r.Details).NumField(); have != want {
		t.Errorf("contract.Details has %d fields, record.Details %d", have, want)
	}
}

// zeros lists the fields that have no value.
func zeros(path string, v reflect.Value) (out []string) {
	switch {
	case v.IsZero():
		return []string{path}
	case v.Kind() == reflect.Slice:
		for i := range v.Len() {
			out = append(out, zeros(fmt.Sprintf("%s[%d]", path, i), v.Index(i))...)
		}
	case v.Kind() == reflect.Struct && v.Type() != reflect.TypeFor[time.Time]():
		for i := range v.NumField() {
			out = append(out, zeros(path+"."+v.Type().Field(i).Name, v.Field(i))...)
		}
	}
	return out
}
