package store

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/voipd/voipd/internal/fixture"
	"github.com/voipd/voipd/record"
)

// TestEvent: every field of record.Event comes back from its row.
func TestEvent(t *testing.T) {
	var e record.Event
	fixture.Fill(reflect.ValueOf(&e).Elem(), "x", 1)
	text, err := eventJSON(&e)
	if err != nil {
		t.Fatal(err)
	}
	var row eventRow
	if err := json.Unmarshal(text, &row); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(e, row.event()); diff != "" {
		t.Error(diff)
	}
	if n, want := reflect.TypeFor[eventRow]().NumField(), reflect.TypeFor[record.Event]().NumField(); n != want {
		t.Errorf("the row has %d fields, record.Event %d", n, want)
	}
}

// TestEventRow: rows of databases in use are written so for ever. A name that
// changes here makes them unreadable.
func TestEventRow(t *testing.T) {
	var full record.Event
	fixture.Fill(reflect.ValueOf(&full).Elem(), "x", 1)
	for _, c := range []struct {
		event record.Event
		want  string
	}{
		{full, `{"at":"1970-01-01T00:00:01Z","kind":"created","source":1,"channel":{"id":"x","linked":"x","name":"x","class":"x"},` +
			`"peer":{"id":"x","linked":"x","name":"x","class":"x"},"state":1,"cause":1,"tech":1,"number":"x","name":"x","peerNumber":"x",` +
			`"context":"x","exten":"x","bridge":"x","bridgeKind":1,"key":"x","value":"x","age":1,"recorded":{"state":"x","bytes":1,"audio":1}}`},
		{record.Event{}, `{"at":"0001-01-01T00:00:00Z","kind":"none","source":0}`},
	} {
		got, err := eventJSON(&c.event)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != c.want {
			t.Errorf("got\n%s\nwant\n%s", got, c.want)
		}
		// Traces that "voipd export" writes are read by newer voipds, and by this
		// one from its own database: they have the same form.
		if same, err := json.Marshal(c.event); err != nil || string(same) != c.want {
			t.Errorf("as a trace file:\n%s (%v)\nwant\n%s", same, err, c.want)
		}
	}
}
