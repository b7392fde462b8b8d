package store

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/voipd/voipd/internal/fixture"
	"github.com/voipd/voipd/record"
)

// TestDetails: every field of record.Details but the recordings, which have a
// table, comes back from its row.
func TestDetails(t *testing.T) {
	var d record.Details
	fixture.Fill(reflect.ValueOf(&d).Elem(), "x", 1)
	d.Recordings = nil
	text, err := detailsJSON(&d)
	if err != nil {
		t.Fatal(err)
	}
	var back record.Details
	if err := readDetails(text, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(d, back); diff != "" {
		t.Error(diff)
	}
	if n, want := reflect.TypeFor[detailsRow]().NumField(), reflect.TypeFor[record.Details]().NumField()-1; n != want {
		t.Errorf("the row has %d fields, record.Details %d but for the recordings", n, want)
	}
}

// TestDetailsRow: rows of databases in use are written so for ever. A name that
// changes here makes them unreadable.
func TestDetailsRow(t *testing.T) {
	var d record.Details
	fixture.Fill(reflect.ValueOf(&d).Elem(), "x", 1)
	text, err := detailsJSON(&d)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"startedAt":"1970-01-01T00:00:01Z","answeredAt":"1970-01-01T00:00:01Z","endedAt":"1970-01-01T00:00:01Z","ringMs":1,"waitMs":1,"holdMs":1,"talkMs":1,` +
		`"did":"x","callerName":"x","asked":"x","beganBy":"x","rang":[{"phone":"x","at":"1970-01-01T00:00:01Z","ms":1,"outcome":"x","cause":1}],"rangOmitted":1,` +
		`"conversations":[{"a":"x","b":"x","at":"1970-01-01T00:00:01Z","ms":1}],"transfers":[{"kind":"x","by":"x","to":"x","at":"1970-01-01T00:00:01Z"}],` +
		`"queue":"x","queueWaitMs":1,"service":"x","voicemail":true,"hangupCause":1,"hangupBy":"x","mergedInto":"x","absorbed":["x"],"approximate":["x"],` +
		`"why":[{"field":"x","rule":"x","at":"1970-01-01T00:00:01Z"}],"pbx":"x","source":"x"}`
	if string(text) != want {
		t.Errorf("got\n%s\nwant\n%s", text, want)
	}
	if !json.Valid(text) {
		t.Error("no JSON")
	}
}
