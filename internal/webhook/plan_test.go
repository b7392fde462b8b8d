package webhook_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/voipd/voipd/internal/capture"
	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/internal/numbers"
	"github.com/voipd/voipd/internal/webhook"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

var update = flag.Bool("update", false, "write golden files anew")

// lines is what was planned, one short line each.
func lines(t *testing.T, planned []store.Change) []string {
	t.Helper()
	var out []string
	for _, c := range planned {
		if c.MissedOf != nil {
			continue // told only where the store finds that it turns something
		}
		var b contract.Body
		if err := json.Unmarshal(c.Body, &b); err != nil {
			t.Fatal(err)
		}
		k := b.Call
		line := fmt.Sprintf("%-16s %s %s %s>%s %s", c.Kind, c.CallID, k.Direction, k.SrcPhone, k.DstPhone, k.Disposition)
		for _, f := range []struct{ name, value string }{{"phone", k.Phone}, {"other", k.Other}, {"outcome", k.Outcome}, {"into", k.Into}, {"recording", k.Recording}} {
			if f.value != "" {
				line += " " + f.name + "=" + f.value
			}
		}
		if b.Record != nil {
			line += fmt.Sprintf(" record %s %s %d s", b.Record.CallID, b.Record.Disposition, b.Record.Duration)
		}
		out = append(out, line)
	}
	return out
}

// TestPlanOfRealCalls: what the outside is told of real calls, one golden file
// a call. Whoever is told of a call is told its end.
func TestPlanOfRealCalls(t *testing.T) {
	dirs, err := filepath.Glob("../../record/testdata/captures/22/*/ami.txt.gz")
	if err != nil || len(dirs) < 30 {
		t.Fatalf("%d captures (%v)", len(dirs), err)
	}
	golden := []string{"in-answered", "in-noanswer", "in-ringgroup", "out-answered", "int-answered", "click-answered", "xfer-attended", "xfer-blind",
		"pickup-directed", "park-retrieve", "queue-second-agent", "in-forward-mobile", "conference"}
	for _, file := range dirs {
		name := filepath.Base(filepath.Dir(file))
		t.Run(name, func(t *testing.T) {
			m, planned := record.New(rules()), []store.Change(nil)
			_, err := capture.Events(file, nil, func(e record.Event) {
				for _, c := range m.Apply(nil, e) {
					id := c.CallID
					if c.Kind == record.CallMerged {
						id = c.Other
					}
					if live, open := m.OpenLive(id); open {
						planned = append(planned, webhook.Plan(c, &live)...)
					} else {
						planned = append(planned, webhook.Plan(c, nil)...)
					}
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			fit(t, planned)
			told, ended := map[string]bool{}, map[string]int{}
			for _, c := range planned {
				switch c.Kind {
				case contract.CallEnded, contract.CallMerged:
					ended[c.CallID]++
				default:
					told[c.CallID] = true
				}
			}
			for id := range told {
				if ended[id] != 1 {
					t.Errorf("of %s %d ends were told", id, ended[id])
				}
			}
			for _, g := range golden {
				if g == name {
					compare(t, name, strings.Join(lines(t, planned), "\n")+"\n")
				}
			}
		})
	}
}

// eventRules are those of docs/events.schema.json.
func eventRules(t *testing.T) *jsonschema.Schema {
	t.Helper()
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	rules, err := compiler.Compile("../../docs/events.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

// fit checks that events are as docs/events.schema.json has them, and that their times
// have three digits.
func fit(t *testing.T, planned []store.Change) {
	t.Helper()
	rules := eventRules(t)
	moment := regexp.MustCompile(`"\d{4}-\d\d-\d\dT[^"]*"`)
	exact := regexp.MustCompile(`^"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"$`)
	for i := range planned {
		c := &planned[i]
		if c.MissedOf != nil {
			continue
		}
		if c.KindOf != nil {
			c.Kind = c.KindOf(record.Add)
		}
		text, err := webhook.Plain(c, "9f2c4e8a1b3d")
		if err != nil {
			t.Fatal(err)
		}
		brix, err := webhook.BRIX(c, "9f2c4e8a1b3d")
		if err != nil {
			t.Fatal(err)
		}
		times := append(moment.FindAll(text, -1), moment.FindAll(brix, -1)...)
		if len(times) < 2 {
			t.Errorf("no times in %s", text)
		}
		for _, at := range times {
			if !exact.Match(at) {
				t.Errorf("%s: the time %s", c.Kind, at)
			}
		}
		e, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err == nil {
			err = rules.Validate(e)
		}
		if err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestDocumentedEvents: the plain events that docs/webhooks.md shows are as the schema
// has them.
func TestDocumentedEvents(t *testing.T) {
	doc, err := os.ReadFile("../../docs/webhooks.md")
	if err != nil {
		t.Fatal(err)
	}
	rules, n := eventRules(t), 0
	for _, text := range regexp.MustCompile(`(?ms)^    \{\n.*?^    \}$`).FindAll(doc, -1) {
		e, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err == nil {
			err = rules.Validate(e)
		}
		if n++; err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	if n < 2 {
		t.Errorf("only %d events are shown", n)
	}
}

func rules() record.Rules { return numbers.Default() }

func compare(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Error(diff)
	}
}

// TestPlan: what real calls do not have.
func TestPlan(t *testing.T) {
	r := record.Record{CallID: "1.1", Direction: record.In, Disposition: record.Answered, SrcPhone: "79031000001", DstPhone: "101", Duration: 4,
		Details: record.Details{BeganBy: "external", Recordings: []record.Recording{{ID: "a", State: record.Ready, Talk: true}, {ID: "b", State: record.Growing}}}}
	live := record.Live{Record: r, Operators: []string{"101", "102"}}
	live.Record.Disposition = record.Unknown
	forwarded := live
	forwarded.Operators = []string{"105"}
	forwarded.Record.DstPhone = "105"
	for name, c := range map[string]struct {
		change record.Change
		live   *record.Live
		want   []string
	}{
		"a caller from outside is nobody's card": {record.Change{Kind: record.CallBegan, Phone: "79031000001"}, &live, nil},
		"each operator who is rung is called":    {record.Change{Kind: record.PhoneRang, Phone: "102", Other: "79031000001"}, &live, []string{"call.started     1.1 in 79031000001>102 unknown phone=102 other=79031000001"}},
		"of two operators, who came last":        {record.Change{Kind: record.CallAnswered, Phone: "101", Other: "102"}, &live, []string{"call.answered    1.1 in 79031000001>102 unknown phone=101 other=102"}},
		"a mobile that answers is not called":    {record.Change{Kind: record.CallAnswered, Phone: "79031000001", Other: "79161"}, &forwarded, []string{"call.answered    1.1 in 79031000001>105 unknown phone=79031000001 other=79161"}},
		"a phone of several stops":               {record.Change{Kind: record.PhoneStopped, Phone: "102", Other: "79031000001", Outcome: "elsewhere"}, &live, []string{"call.stopped_ringing 1.1 in 79031000001>102 unknown phone=102 other=79031000001 outcome=elsewhere"}},
		"held":                                   {record.Change{Kind: record.CallHeld, Phone: "101"}, &live, []string{"call.held        1.1 in 79031000001>101 unknown phone=101"}},
		"resumed":                                {record.Change{Kind: record.CallResumed, Phone: "101"}, &live, []string{"call.resumed     1.1 in 79031000001>101 unknown phone=101"}},
		"a quiet merge":                          {record.Change{Kind: record.CallMerged, Other: "1.0", Quiet: true}, &live, nil},
		"a merge":                                {record.Change{Kind: record.CallMerged, Other: "1.0"}, &live, []string{"call.merged      1.1 in 79031000001>101 unknown into=1.0"}},
		"a merged call with record":              {record.Change{Kind: record.CallMerged, Other: "1.0", Record: &r}, &live, []string{"call.merged      1.1 in 79031000001>101 answered into=1.0", "record.created   1.1 in 79031000001>101 answered record 1.1 answered 4 s"}},
		"a quiet merge with record":              {record.Change{Kind: record.CallMerged, Other: "1.0", Record: &r, Quiet: true}, &live, []string{"record.created   1.1 in 79031000001>101 answered record 1.1 answered 4 s"}},
		"an end without record":                  {record.Change{Kind: record.CallEnded}, nil, []string{"call.ended       1.1  > "}},
		"a correction":                           {record.Change{Kind: record.RecordRevised, Record: &r}, nil, []string{"record.corrected 1.1 in 79031000001>101 answered record 1.1 answered 4 s"}},
		"a recording is whole":                   {record.Change{Kind: record.RecordRevised, Record: &r, Recording: "a"}, nil, []string{"recording.ready  1.1 in 79031000001>101 answered recording=a record 1.1 answered 4 s"}},
		"a recording grows":                      {record.Change{Kind: record.RecordRevised, Record: &r, Recording: "b"}, nil, nil},
		"a recording has no sound":               {record.Change{Kind: record.RecordRevised, Record: &r, Recording: "c"}, nil, []string{"record.corrected 1.1 in 79031000001>101 answered record 1.1 answered 4 s"}},
		"a phone rings, call is gone":            {record.Change{Kind: record.PhoneRang, Phone: "102"}, nil, []string{"call.started     1.1  >  phone=102"}},
	} {
		t.Run(name, func(t *testing.T) {
			c.change.CallID, c.change.At = "1.1", time.Unix(1_795_366_192, 0)
			got := lines(t, webhook.Plan(c.change, c.live))
			for i := range got {
				got[i] = strings.TrimRight(got[i], " ")
			}
			for i := range c.want {
				c.want[i] = strings.TrimRight(c.want[i], " ")
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
