package trace_test

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/capture"
	"github.com/voipd/voipd/internal/numbers"
	"github.com/voipd/voipd/internal/trace"
	"github.com/voipd/voipd/record"
)

var update = flag.Bool("update", false, "write the golden files anew")

func rules() record.Rules {
	r := numbers.Default()
	r.Extensions = []*regexp.Regexp{regexp.MustCompile(`^1\d\d$`)}
	r.Dialled = []record.Rewrite{{Match: regexp.MustCompile(`^9(\d{10,})$`), With: "$1"}}
	return r
}

func events(t *testing.T, path string) []record.Event {
	t.Helper()
	var out []record.Event
	if _, err := capture.Events(path, nil, func(e record.Event) { out = append(out, e) }); err != nil {
		t.Fatal(err)
	}
	return out
}

func records(events []record.Event) (out []record.Record) {
	for _, c := range record.Replay(rules(), slices.Values(events)) {
		if c.Record != nil {
			out = append(out, *c.Record)
		}
	}
	return out
}

// TestDisguisedCallsReplay: an exported call tells the same story with other
// numbers: the same ones by the same ones, and none of the real ones is left.
func TestDisguisedCallsReplay(t *testing.T) {
	files, err := filepath.Glob("../../record/testdata/captures/22/*/a*.gz")
	if err != nil || len(files) == 0 {
		t.Fatal("no captures", err)
	}
	for _, file := range files {
		t.Run(filepath.ToSlash(file)[len("../../record/testdata/captures/22/"):], func(t *testing.T) {
			original := events(t, file)
			d := trace.NewDisguise([]byte("a key"))
			disguised := make([]record.Event, len(original))
			for i, e := range original {
				disguised[i] = d.Event(e)
			}
			path := filepath.Join(t.TempDir(), "call.trace")
			var text bytes.Buffer
			if err := trace.Write(&text, "call", disguised); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, text.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
			want, got := records(original), records(events(t, path))
			if len(got) != len(want) {
				t.Fatalf("%d records, want %d", len(got), len(want))
			}
			for i, w := range want {
				g := got[i]
				if g.CallID != w.CallID || g.Direction != w.Direction || g.Disposition != w.Disposition || g.Duration != w.Duration || g.Recorded() != w.Recorded() {
					t.Errorf("got %+v\nwant %+v", g, w)
				}
				for _, phones := range [][2]string{{w.SrcPhone, g.SrcPhone}, {w.DstPhone, g.DstPhone}} {
					long := len(phones[0]) >= 7 && phones[0] != record.Anonymous
					if long == (phones[0] == phones[1]) || long && len(phones[0]) != len(phones[1]) {
						t.Errorf("%s became %s", phones[0], phones[1])
					}
				}
			}
			for _, secret := range regexp.MustCompile(`79031000\d{3}|8916\d{7}|7916\d{7}|74951234\d{3}|Ivanova|Petrov|Васил|Ёлкин`).FindAllString(text.String(), -1) {
				t.Errorf("%s is left", secret)
			}
		})
	}
}

// TestExplain compares what a person reads of some calls with golden files.
func TestExplain(t *testing.T) {
	for _, name := range []string{"in-answered", "xfer-refer-replaces", "queue-abandoned", "click-operator-noanswer"} {
		t.Run(name, func(t *testing.T) {
			all := events(t, "../../record/testdata/captures/22/"+name+"/ami.txt.gz")
			var got bytes.Buffer
			if err := trace.Explain(&got, rules(), records(all)[0].CallID, all); err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join("testdata", name+".txt")
			if *update {
				if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil || got.String() != string(want) {
				t.Errorf("%v; got\n%s\nwant\n%s", err, got.String(), want)
			}
		})
	}
	if err := trace.Explain(&bytes.Buffer{}, rules(), "none", nil); !errors.Is(err, trace.ErrNoRecord) {
		t.Errorf("got %v", err)
	}
}

func TestBadTraces(t *testing.T) {
	for text, want := range map[string]string{
		"":                         "it is empty",
		"hello\n":                  "not that of a trace",
		"{}\n":                     "not that of a trace",
		`{"voipdTrace":99}` + "\n": "reads up to",
	} {
		if _, _, err := trace.Read(strings.NewReader(text), nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
	n := 0
	call, bad, err := trace.Read(strings.NewReader(`{"voipdTrace":1,"call":"c"}`+"\n"+`{"kind":"none","at":"2026-11-22T16:50:02Z","source":1}`+"\nnonsense\n"+`{"kind":"no such"}`+"\n"), func(record.Event) { n++ })
	if call != "c" || bad != 2 || n != 1 || err != nil {
		t.Errorf("got %q, %d bad, %d good, %v", call, bad, n, err)
	}
}

// TestExplainKept: what a person reads of a call without facts, and of its
// recordings, whatever is in their names.
func TestExplainKept(t *testing.T) {
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	r := &record.Record{CallID: "1795366178.7", Direction: record.In, Disposition: record.Answered, SrcPhone: "79031000013", DstPhone: "102", Duration: 3,
		Details: record.Details{StartedAt: at, Source: "cel", Approximate: []string{"the PBX's clock was set in the call"},
			Why: []record.Reason{{Field: "dstPhone", Rule: "dstPhone: the first operator who talked", At: at}},
			Recordings: []record.Recording{{Path: "/m/a\x1b.wav", At: at.Add(time.Second), State: record.Ready},
				{Path: "/m/q-1795366178.7.wav", At: at.Add(2 * time.Second), State: record.Announced, Found: true}}}}
	var got bytes.Buffer
	if err := errors.Join(trace.ExplainKept(&got, r), trace.Recordings(&got, r)); err != nil {
		t.Fatal(err)
	}
	const want = `1795366178.7  in  79031000013 → 102  answered, 3 s
began 2026-11-22 12:00:00.000 UTC
told by cel; its facts are not kept

dstPhone     102            dstPhone: the first operator who talked
approximate  the PBX's clock was set in the call
recording    ready          told by the PBX
                               +1.000 s  /m/a\x1b.wav
recording    announced      found on the disk by its name
                               +2.000 s  /m/q-1795366178.7.wav
`
	if got.String() != want {
		t.Errorf("got\n%s\nwant\n%s", &got, want)
	}
}
