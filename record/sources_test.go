package record_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/record"
)

var update = flag.Bool("update", false, "write the pages in docs/ anew")

// source is one that gives facts of the same calls as AMI.
type source struct {
	name, file string
	untold     map[string]string // details that it cannot tell, and why
	exceptions []exception       // fields of the record itself
	intro      string
}

// sources are all but AMI. A detail that differs and is not there fails, and so
// does a line there that no capture shows.
func sources() []source {
	return []source{
		{"ARI", "ari.jsonl", untoldByARI(), nil, "These details differ, over ARI:"},
		{"CEL", "cel.csv", untoldByCEL(), celExceptions(), "These details differ, of CEL rows:"},
		{"CDR", "cdr.csv", untoldByCDR(), cdrExceptions(), `Every record told by CDR says that it is approximate. That a caller hung up follows from the time that Dial or Queue had
left, but not of a number outside that was called from inside: that reads no_answer, as do some busy ones; a call that the PBX
answered first is too long by that time; some calls have no row. These details differ, of CDR rows:`},
	}
}

func untoldByARI() map[string]string {
	const missing = "ARI has no event for parking, retrieval and pickup; they show only in who talks with whom"
	return map[string]string{
		"Details.transfers.at": missing, "Details.transfers.by": missing, "Details.transfers.kind": missing, "Details.transfers.to": missing,
	}
}

func untoldByCEL() map[string]string {
	const (
		hold  = "hold has no row"
		space = "PARK_START does not say at which space"
		queue = "only a MixMonitor of the dialplan has a row (APP_START), not one that app_queue, a phone or AMI starts"
	)
	return map[string]string{
		"Details.holdMs": hold, "Details.transfers.to": space,
		"Details.recordings.at": queue, "Details.recordings.id": queue, "Details.recordings.path": queue, "Details.recordings.state": queue,
		"Details.recordings.talk": queue,
	}
}

func untoldByCDR() map[string]string {
	const (
		seconds   = "whole seconds, and where the PBX answered first its answer is the row's"
		outcome   = "one disposition a row: NO ANSWER for nobody, a refusal, a cancelled ringing and one taken elsewhere"
		hangup    = "no hangup cause and not who hung up"
		name      = "recordingfile is a name without a folder, and not when recording began"
		number    = "dst is where the call came to, not what was dialled"
		caller    = "clid is what was last shown"
		transfers = "transfers, pickups and parking show only in who talks with whom"
		pickup    = "a parked call reads as an application"
		row       = "a conference has a row a pair, and not of every pair"
		hold      = "hold is not told"
		service   = "only the last application of each stretch of the call is told"
		origin    = "a call that the PBX began reads as if the operator had dialled"
		approx    = "it says itself that it is approximate"
		absorbed  = "a retrieval or pickup has the linkedid of the call that it went into"
	)
	out := details(map[string][]string{
		seconds: {"answeredAt", "conversations.at", "conversations.ms", "endedAt", "queueWaitMs", "rang.at", "rang.ms", "ringMs", "startedAt",
			"talkMs", "waitMs", "why.at"},
		outcome: {"rang.outcome", "why.rule"}, hangup: {"hangupBy", "hangupCause", "rang.cause"},
		name:   {"recordings.at", "recordings.id", "recordings.path", "recordings.state", "recordings.talk"},
		number: {"did", "asked"}, caller: {"callerName"}, hold: {"holdMs"}, service: {"service"}, origin: {"beganBy"}, approx: {"approximate"},
		transfers: {"transfers.at", "transfers.by", "transfers.kind", "transfers.to"}, pickup: {"rang.phone"},
		row: {"conversations.b"}, absorbed: {"absorbed"},
	})
	out["SrcPhone"] = "a caller ID that an originate gave stands in no row"
	return out
}

func details(byReason map[string][]string) map[string]string {
	out := map[string]string{}
	for why, fields := range byReason {
		for _, field := range fields {
			out["Details."+field] = why
		}
	}
	return out
}

// TestSourcesAgree: every capture told by AMI and by another source gives the
// same records, details included, except for what that one cannot tell.
func TestSourcesAgree(t *testing.T) {
	var page bytes.Buffer
	page.WriteString(sourcesHead)
	for _, who := range sources() {
		seen := compareSources(t, who)
		for field, where := range seen {
			if who.untold[field] == "" {
				t.Errorf("%s: %s differs in %v, and untold does not say why", who.name, field, where)
			}
		}
		for field := range who.untold {
			if seen[field] == nil {
				t.Errorf("%s: untold says that %s differs, and no capture shows it", who.name, field)
			}
		}
		writeSource(&page, who, seen)
	}
	page.WriteString(sourcesFoot)
	checkPage(t, "../docs/tellers.md", page.Bytes())
}

// compareSources gives the fields that differ from AMI's tale and are not among
// the source's exceptions, and the captures that show it.
func compareSources(t *testing.T, who source) map[string][]string {
	t.Helper()
	files, err := filepath.Glob("testdata/captures/*/*/ami.txt.gz")
	if err != nil || len(files) == 0 {
		t.Fatal("no captures", err)
	}
	seen := map[string][]string{}
	for _, file := range files {
		ami := inOrder(record.Replay(officeRules(), slices.Values(captureEvents(t, file))))
		other := inOrder(record.Replay(officeRules(), slices.Values(captureEvents(t, strings.Replace(file, "ami.txt", who.file, 1)))))
		name := strings.TrimPrefix(filepath.ToSlash(filepath.Dir(file)), "testdata/captures/")
		excepted := func(field string) bool {
			return slices.ContainsFunc(who.exceptions, func(x exception) bool { return x.capture == name && strings.EqualFold(x.field, field) })
		}
		if len(ami) != len(other) {
			if !excepted("record") {
				t.Errorf("%s: %d records by AMI, %d by %s", name, len(ami), len(other), who.name)
			}
			continue
		}
		for i := range ami {
			for _, field := range differences(flatten(t, ami[i]), flatten(t, other[i])) {
				short := filepath.Base(name)
				if !excepted(field) && (who.name != "CDR" || field != "Duration") && !slices.Contains(seen[field], short) {
					seen[field] = append(seen[field], short)
				}
			}
		}
	}
	return seen
}

// inOrder gives the records by their calls' ids, which every source has.
func inOrder(changes []record.Change) []record.Record {
	out := records(changes)
	slices.SortFunc(out, func(a, b record.Record) int { return strings.Compare(a.CallID, b.CallID) })
	return out
}

// flatten gives a record's fields by their path, lists without their indexes
// counted.
func flatten(t *testing.T, r record.Record) map[string][]any {
	t.Helper()
	text, err := json.Marshal(struct { // by the names that docs/ has for them
		record.Record
		Details contract.Details
	}{r, contract.WithPaths(r).Details})
	if err != nil {
		t.Fatal(err)
	}
	var tree any
	if err := json.Unmarshal(text, &tree); err != nil {
		t.Fatal(err)
	}
	out := map[string][]any{}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for key, value := range v {
				walk(strings.TrimPrefix(path+"."+key, "."), value)
			}
		case []any:
			for _, value := range v {
				walk(path, value)
			}
		default:
			out[path] = append(out[path], v)
		}
	}
	walk("", tree)
	delete(out, "Details.source")
	return out
}

// differences names the fields that are not the same. The captures' AMI events
// have the time of receipt and ARI's the PBX's own milliseconds: 100 ms apart
// is the same.
func differences(a, b map[string][]any) []string {
	fields := maps.Clone(a)
	maps.Copy(fields, b)
	var out []string
	for field := range fields {
		if !slices.EqualFunc(a[field], b[field], same) {
			out = append(out, field)
		}
	}
	slices.Sort(out)
	return out
}

func same(a, b any) bool {
	if x, ok := a.(float64); ok {
		y, ok := b.(float64)
		return ok && math.Abs(x-y) <= 100
	}
	if x, ok := asTime(a); ok {
		y, ok := asTime(b)
		return ok && x.Sub(y).Abs() <= 100*time.Millisecond
	}
	return a == b
}

func asTime(v any) (time.Time, bool) {
	s, _ := v.(string)
	t, err := time.Parse(time.RFC3339, s)
	return t, err == nil
}

const sourcesHead = `# What each source of facts can tell

voipd hears of calls by AMI or by ARI (` + "`asterisk.interface`" + `), and can read what Asterisk wrote down of them: CEL and CDR
(` + "`voipd replay cel.csv`, `cdr.csv`" + `). All become the same facts for the same rules. Of the captures, AMI and ARI tell every record
right: direction, phones, disposition, duration and recordings do not differ. What the others tell otherwise, and why, is listed
here; every line is checked against the captures.
`

const sourcesFoot = `
This page is written by ` + "`go test ./record -run TestSourcesAgree -update`" + `.
`

// writeSource writes what one source cannot tell.
func writeSource(b *bytes.Buffer, who source, seen map[string][]string) {
	fmt.Fprintf(b, "\n## %s\n\n", who.name)
	if len(who.exceptions) > 0 {
		wrong := map[string]bool{}
		for _, x := range who.exceptions {
			wrong[x.capture] = true
		}
		fmt.Fprintf(b, "%d of %d captures give the right records; these do not:\n\n| capture | field | why |\n| --- | --- | --- |\n", allCaptures-len(wrong), allCaptures)
		for _, x := range who.exceptions {
			fmt.Fprintf(b, "| %s | `%s` | %s |\n", x.capture, x.field, x.why)
		}
		b.WriteString("\n")
	}
	b.WriteString(who.intro + "\n\n| field | why | seen in |\n| --- | --- | --- |\n")
	for _, field := range slices.Sorted(maps.Keys(who.untold)) {
		where := seen[field]
		slices.Sort(where)
		list := strings.Join(where, ", ")
		if len(where) > 6 {
			list = fmt.Sprintf("%d of the captures' scenarios", len(where))
		}
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", strings.TrimPrefix(field, "Details."), who.untold[field], list)
	}
	if who.name == "ARI" {
		b.WriteString(`
Without ` + "`channelvars = CHANNEL(linkedid)`" + ` in ari.conf, ARI has no linkedid either: channels are then one call only by being
dialled, bridged, transferred or halves of one Local channel.

ARI alone tells of recordings that ARI makes (a Stasis application's): AMI has no event for them. They are looked for below
` + "`/var/spool/asterisk/recording`" + `, as a folder in ` + "`recordings.directories`" + ` has it as ` + "`asterisk_path`" + `.
`)
	}
	if who.name == "CEL" {
		b.WriteString(`
cel.conf needs ` + "`events = ALL`" + `. ` + "`apps = dial,queue,mixmonitor`" + ` adds rows of what was dialled outside, and of recordings (` + "`all`" + ` is no
word there). Who was rung by whom has no row: it follows from who ran Dial or Queue when the channel was made, else from who began
the call. Where times have whole seconds only, the order of the rows is taken as it stands. Of calls that the PBX began, a number
that no row has makes the record approximate. So do rows that are missing: where CEL has none of bridges, or does not name them (no
column ` + "`extra`" + `), who talked follows from who answered, and in a table without ` + "`extra`" + ` a call that was cancelled, or found somebody
busy, reads no_answer. Where a caller from outside went on in the dialplan and no row has the number that he came to,
` + "`dstPhone`" + ` is the DID, and the record that an import makes says so.

A recording that CEL does not tell is looked for on the disk (` + "`recordings.directories`" + `) after a gap and by ` + "`voipd import`" + `: a file whose
name holds the id of one of the call's channels, in the folder of its day, ` + "`YYYY/MM/DD`" + `, or of the hour in that,
or directly below. ` + "`found`" + ` in ` + "`details.recordings`" + ` says so.
`)
	}
	if who.name == "CDR" {
		b.WriteString(`
Recordings are looked for as for CEL, by the ids of channels that have a row of their own: one that is named by a rung channel's
id alone (` + "`out-9-prefix`" + `) stays unknown.
`)
	}
}

func checkPage(t *testing.T, page string, text []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(page, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if old, err := os.ReadFile(page); err != nil || !bytes.Equal(old, text) {
		t.Errorf("%s is not what this test found; write it anew with -update (%v)", page, err)
	}
}
