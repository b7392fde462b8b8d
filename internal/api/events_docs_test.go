package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/record"
)

// every kind of event, with that of a test.
func everyKind() []string {
	return append(contract.Kinds(), contract.RecordErased, contract.WebhookTested)
}

// needs are the members that an event of a kind has beyond those that each has, at
// the top and in its call.
func needs(kind string) (top, call []string) {
	switch kind {
	case contract.CallStoppedRinging:
		return nil, []string{"phone", "outcome"}
	case contract.CallMerged:
		return nil, []string{"into"}
	case contract.RecordCreated, contract.RecordCorrected:
		return []string{"record"}, nil
	case contract.MissedOpened, contract.MissedReturned, contract.MissedDismissed:
		return []string{"call", "missed"}, nil
	case contract.RecordingReady:
		return []string{"record"}, []string{"recording"}
	}
	return nil, nil
}

// eventsSchema makes the JSON schema of events of the types that the API describes. A
// later version may add members, so others than those are allowed.
func eventsSchema(t *testing.T) []byte {
	t.Helper()
	types := huma.NewMapRegistry("#/$defs/", huma.DefaultSchemaNamer)
	of := func(kind string) *huma.Schema {
		switch kind {
		case contract.WebhookFails:
			return types.Schema(reflect.TypeFor[webhookEvent](), true, "WebhookEvent")
		case contract.WebhookTested:
			return types.Schema(reflect.TypeFor[testEvent](), true, "TestEvent")
		}
		return types.Schema(reflect.TypeFor[event](), true, "Event")
	}
	defs, all := map[string]any{}, []any{}
	for _, kind := range everyKind() {
		top, call := needs(kind)
		properties := map[string]any{"type": map[string]any{"const": kind}}
		if len(call) > 0 {
			properties["call"] = map[string]any{"required": call}
		}
		def := map[string]any{"title": kind, "allOf": []any{of(kind)}, "properties": properties}
		if len(top) > 0 {
			def["required"] = top
		}
		defs[kind] = def
		all = append(all, map[string]any{"$ref": "#/$defs/" + kind})
	}
	for name, schema := range types.Map() {
		notNull(schema)
		open(schema)
		defs[name] = schema
	}
	text, err := json.Marshal(map[string]any{"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "urn:voipd:events", "title": "Events of voipd",
		"description": "What is posted to webhooks of the template plain and told in streams; later versions may add members and kinds", "oneOf": all, "$defs": defs})
	if err != nil {
		t.Fatal(err)
	}
	var plain any // in one order, whatever type wrote it
	if err := json.Unmarshal(text, &plain); err != nil {
		t.Fatal(err)
	}
	text, err = json.MarshalIndent(plain, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return append(text, '\n')
}

// open lets objects have members that are not described.
func open(s *huma.Schema) {
	s.AdditionalProperties = nil
	for _, p := range s.Properties {
		open(p)
	}
	if s.Items != nil {
		open(s.Items)
	}
}

// exampleEvents makes an event of each kind, of one call.
func exampleEvents(t *testing.T) map[string][]byte {
	t.Helper()
	began := time.Date(2026, 11, 22, 9, 30, 0, 120e6, time.UTC)
	at := func(s int) time.Time { return began.Add(time.Duration(s) * time.Second) }
	sound := record.Recording{ID: "5dc4ab1d7c0875c3", Path: "/var/spool/asterisk/monitor/in-101.wav", At: at(8), State: record.Ready, Bytes: 544044, MS: 34000, Talk: true}
	r := record.Record{CallID: "1795366192.23", Direction: record.In, Disposition: record.Answered, SrcPhone: "79031000001", DstPhone: "101", Duration: 34,
		Details: record.Details{StartedAt: began, AnsweredAt: at(8), EndedAt: at(42), RingMS: 8000, WaitMS: 8000, TalkMS: 34000, CallerName: "Anna", DID: "74951234567", Queue: "sales",
			BeganBy: "external", Source: "ami", Recordings: []record.Recording{sound},
			Rang:          []record.Rang{{Phone: "101", At: began, MS: 8000, Outcome: "answered"}, {Phone: "102", At: began, MS: 8000, Outcome: "elsewhere"}},
			Conversations: []record.Conversation{{A: "79031000001", B: "101", At: at(8), MS: 34000}}}}
	early := r
	early.Disposition, early.Duration, early.Details = record.Unknown, 0, record.Details{StartedAt: began, CallerName: "Anna", DID: "74951234567", Queue: "sales", BeganBy: "external"}
	live := &record.Live{Record: early, Operators: []string{"101", "102"}}
	c := record.Change{CallID: r.CallID, Phone: "101", Other: "79031000001"}
	with := func(kind record.ChangeKind, second int, change func(*record.Change)) record.Change {
		out := c
		out.Kind, out.At = kind, at(second)
		if change != nil {
			change(&out)
		}
		return out
	}
	var told []contract.Event
	for _, change := range []record.Change{
		with(record.PhoneRang, 0, nil),
		with(record.PhoneStopped, 8, func(c *record.Change) { c.Phone, c.Outcome = "102", "elsewhere" }),
		with(record.CallAnswered, 8, nil),
		with(record.CallTransferred, 20, func(c *record.Change) { c.Other = "102" }),
		with(record.CallHeld, 12, nil),
		with(record.CallResumed, 15, nil),
		with(record.CallMerged, 30, func(c *record.Change) { c.Phone, c.Other = "", "1795366180.17" }),
		with(record.CallEnded, 42, func(c *record.Change) { c.Phone, c.Other, c.Record = "", "", &r }),
		with(record.RecordRevised, 45, func(c *record.Change) { c.Phone, c.Other, c.Record, c.Recording = "", "", &r, sound.ID }),
		with(record.RecordRevised, 90, func(c *record.Change) { c.Phone, c.Other, c.Record = "", "", &r }),
	} {
		told = append(told, contract.Plan(change, live)...)
	}
	lost := r
	lost.CallID, lost.Disposition, lost.Duration = "1795366100.11", record.Cancelled, 0
	lost.Details = record.Details{StartedAt: at(-92), CallerName: "Anna", DID: "74951234567", Queue: "sales", Rang: []record.Rang{{Phone: "101"}, {Phone: "102"}}}
	m := record.Missed{Calls: 2, FirstAt: at(-300), LastAt: at(-92), LastID: lost.CallID}
	for second, turn := range map[int]contract.MissedTurn{-60: {Is: m, Last: lost}, 42: {Was: m, Last: lost, Return: &record.Return{CallID: r.CallID, At: at(8), By: "101", Direction: record.In}}} {
		kind, body := contract.TellMissed(turn)
		told = append(told, contract.Event{At: at(second), Kind: kind, Body: body})
	}
	slices.SortStableFunc(told[len(told)-2:], func(a, b contract.Event) int { return a.At.Compare(b.At) })
	told = append(told, contract.Event{At: at(60), Kind: contract.MissedDismissed, Body: contract.TellDismissed(m, lost, contract.Dismissed{At: at(60), By: "crm", Note: "wrote to us"})})
	failing, err := json.Marshal(contract.WebhookBody{Webhook: contract.FailingWebhook{Name: "crm", FailingSince: at(0), Status: 502, Waiting: 12}})
	if err != nil {
		t.Fatal(err)
	}
	told = append(told, contract.Event{At: at(3600), Kind: contract.WebhookFails, Body: failing},
		contract.Event{At: at(7200), Kind: contract.RecordErased, Body: []byte(`{"call":{"callId":"1795366192.23","srcPhone":"","dstPhone":""}}`)},
		contract.Event{At: at(0), Kind: contract.WebhookTested, Body: []byte(`{"webhook":{"name":"crm"}}`)})
	out := map[string][]byte{}
	told = slices.DeleteFunc(told, func(e contract.Event) bool { return e.Body == nil }) // told only where they turn something
	for i, e := range told {
		instance, seq := "9f2c4e8a1b3d", int64(41+i)
		if e.Kind == contract.WebhookTested {
			instance, seq = instance+"-test-7GCMG46W4ZEM", 0
		}
		out[e.Kind] = contract.Envelope(instance, seq, e.Kind, e.At, e.Body)
	}
	return out
}

// TestEventsInDocs: docs/ has the schema of events, made of the types, and an example
// of each kind, made by the code that makes events, which the schema allows. What
// lacks a member that its kind has is not allowed.
func TestEventsInDocs(t *testing.T) {
	schema := eventsSchema(t)
	var page strings.Builder
	page.WriteString("# An event of each kind\n\nAs the template `plain` and the streams have them. [webhooks.md](webhooks.md) says when each is told, and\n" +
		"[events.schema.json](events.schema.json) is their JSON schema (2020-12). Members that are not known are left out; a later\nversion may add some.\n")
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource("urn:voipd:events", parsed); err != nil {
		t.Fatal(err)
	}
	rules, err := compiler.Compile("urn:voipd:events")
	if err != nil {
		t.Fatal(err)
	}
	examples := exampleEvents(t)
	for _, kind := range everyKind() {
		var pretty bytes.Buffer
		if err := json.Indent(&pretty, examples[kind], "    ", "  "); err != nil {
			t.Fatalf("%s: %s (%v)", kind, examples[kind], err)
		}
		fmt.Fprintf(&page, "\n## %s\n\n    %s\n", kind, &pretty)
		e, err := jsonschema.UnmarshalJSON(bytes.NewReader(examples[kind]))
		if err != nil {
			t.Fatal(err)
		}
		if err := rules.Validate(e); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
		top, call := needs(kind)
		members := e.(map[string]any)
		for _, name := range append(top, "id", "at") {
			lacks(t, rules, members, members, name)
		}
		for _, name := range call {
			lacks(t, rules, members, members["call"].(map[string]any), name)
		}
	}
	kept(t, "../../docs/events.schema.json", schema)
	kept(t, "../../docs/events.md", []byte(page.String()))
}

// lacks checks that an event is refused without a member.
func lacks(t *testing.T, rules *jsonschema.Schema, e, in map[string]any, name string) {
	t.Helper()
	was, ok := in[name]
	delete(in, name)
	if !ok || rules.Validate(e) == nil {
		t.Errorf("%v: without %q it is allowed (it was there: %v)", e["type"], name, ok)
	}
	in[name] = was
}

// kept compares a page with what it is made of (UPDATE=1 makes it).
func kept(t *testing.T, path string, want []byte) {
	t.Helper()
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(have)); diff != "" {
		t.Errorf("%s is not what the code makes; UPDATE=1 go test writes it anew:\n%s", path, diff)
	}
}
