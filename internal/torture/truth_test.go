package torture

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/capture"
	"github.com/voipd/voipd/internal/numbers"
	"github.com/voipd/voipd/internal/sim"
	"github.com/voipd/voipd/record"
)

const captures = "../../record/testdata/captures/22"

// scene is a captured call and the records that it has to leave.
type scene struct {
	capture *sim.Capture
	want    []record.Record
	begun   int // how many calls there were before some went into others
	playing int // how often it is played at the moment
}

// rules are those of the configuration in newVoipd.
func rules() record.Rules {
	r := numbers.Default()
	r.Extensions = []*regexp.Regexp{regexp.MustCompile(`^1\d\d$`)}
	r.Trunks = []*regexp.Regexp{regexp.MustCompile(`^PJSIP/trunk-[ab]$`)}
	r.Dialled = []record.Rewrite{{Match: regexp.MustCompile(`^9(\d{10,})$`), With: "$1"}}
	return r
}

// scenes are the captures of Asterisk 22. What record's own tests hold true of
// them is the truth here: the whole stream, told by AMI without a fault.
func scenes(t *testing.T) []*scene {
	t.Helper()
	dirs, err := os.ReadDir(captures)
	if err != nil {
		t.Fatal(err)
	}
	var all []*scene
	for _, d := range dirs {
		if s := newScene(t, os.DirFS(captures), d.Name()); s.capture.Length() > 0 {
			all = append(all, s)
		}
	}
	return all
}

// newScene is a capture, and what has to come of it.
func newScene(t testing.TB, files fs.FS, name string) *scene {
	t.Helper()
	c, err := sim.Load(files, name)
	if err != nil {
		t.Fatal(err)
	}
	m := record.New(rules())
	var changes []record.Change
	begun := map[string]bool{}
	if _, err := capture.Events(filepath.Join(captures, name, "ami.txt.gz"), nil, func(e record.Event) {
		changes = m.Apply(changes, e)
		begun[e.Channel.Linked] = true
	}); err != nil {
		t.Fatal(err)
	}
	return &scene{capture: c, want: record.Records(nil, changes), begun: len(begun)}
}

// call is one play of a scene.
type call struct {
	scene   *scene
	playing *sim.Playing
	began   time.Time
}

// judgement is what came of comparing.
type judgement struct {
	right, approximate, byCEL, crashed int
	unwritten                          int // cut by a crash before a row was written, and voipd was not there
	recorded, found                    int // records that have the recording that was made; of these, on the disk by its name
	toPlay                             []told
	problems                           []string
}

func (j *judgement) bad(format string, args ...any) {
	j.problems = append(j.problems, fmt.Sprintf(format, args...))
}

// judge compares what voipd tells with the calls that took place.
func judge(calls []call, records []told, blind func(time.Time) bool) *judgement {
	j := &judgement{}
	byID := map[string]told{}
	for _, r := range records {
		if _, twice := byID[r.CallID]; twice {
			j.bad("doubled: %s", r.CallID)
		}
		byID[r.CallID] = r
	}
	for _, c := range calls {
		j.call(c, byID, blind)
	}
	for id, r := range byID {
		j.bad("invented: %s %s %s→%s %s, told by %s, %q", id, r.Direction, r.SrcPhone, r.DstPhone, r.Disposition, r.Details.Source, r.Details.Approximate)
	}
	return j
}

func (j *judgement) call(c call, byID map[string]told, blind func(time.Time) bool) {
	name, ids := c.scene.capture.Name, c.playing.IDs()
	if !c.playing.Whole() {
		j.cut(c, byID, blind)
		return
	}
	for _, w := range c.scene.want {
		id := ids[slices.Index(c.scene.capture.IDs(), w.CallID)]
		r, has := byID[id]
		delete(byID, id)
		if !has {
			j.bad("missing: %s %s", name, id)
			continue
		}
		diff := differences(w, r)
		switch {
		case len(r.Details.Approximate) > 0:
			j.approximate++
		case diff != "":
			j.bad("wrong: %s %s, told by %s: %s", name, id, r.Details.Source, diff)
		default:
			j.right++
		}
		if r.Details.Source == "cel" {
			j.byCEL++
		}
		j.recording(c, w, r)
	}
}

// recording judges whether a record has a recording to play exactly where one
// was made with sound in it.
func (j *judgement) recording(c call, w record.Record, r told) {
	rec := (&record.Record{Details: r.Details}).FirstRecording()
	name := c.scene.capture.Name
	switch {
	case w.Recorded() && (rec == nil || rec.State != record.Ready):
		j.bad("lost recording: %s %s, told by %s, %q: %+v", name, r.CallID, r.Details.Source, r.Details.Approximate, r.Details.Recordings)
	case !w.Recorded() && rec != nil:
		j.bad("wrong: %s %s, told by %s: it has a recording, and none was made: %+v", name, r.CallID, r.Details.Source, *rec)
	case rec != nil:
		j.recorded++
		if rec.Found {
			j.found++
		}
		j.toPlay = append(j.toPlay, r)
	}
}

// cut judges a call in which Asterisk crashed: what was to come of it nobody
// knows, but it is told once, and whoever reads it is warned. Where Asterisk had
// written nothing of it yet, and voipd was not there, nobody can know of it.
func (j *judgement) cut(c call, byID map[string]told, blind func(time.Time) bool) {
	j.crashed++
	found := 0
	for _, id := range c.playing.IDs() {
		r, has := byID[id]
		if !has {
			continue
		}
		found++
		delete(byID, id)
		switch {
		case len(r.Details.Approximate) > 0, slices.ContainsFunc(c.scene.want, func(w record.Record) bool { return differences(w, r) == "" }):
		default:
			j.bad("wrong: %s %s, cut by a crash, is not approximate: %s %d s", c.scene.capture.Name, id, r.Disposition, r.Duration)
		}
	}
	switch {
	case found > 0 || c.playing.Told() == 0:
	case c.playing.Rows() == 0 && blind(c.began):
		j.unwritten++
	default:
		j.bad("missing: %s %s, cut by a crash after %d events", c.scene.capture.Name, c.playing.IDs()[0], c.playing.Told())
	}
	if found > max(len(c.scene.want), c.scene.begun) {
		j.bad("doubled: %s %s, cut by a crash: %d records", c.scene.capture.Name, c.playing.IDs()[0], found)
	}
}

// differences compares the app's fields. CEL and AMI have the same moment some
// milliseconds apart, so that a duration may differ by one.
func differences(w record.Record, r told) string {
	var d []string
	for _, f := range [][3]string{
		{"direction", string(w.Direction), r.Direction}, {"srcPhone", w.SrcPhone, r.SrcPhone}, {"dstPhone", w.DstPhone, r.DstPhone},
		{"disposition", string(w.Disposition), r.Disposition},
	} {
		if f[1] != f[2] {
			d = append(d, fmt.Sprintf("%s is %q, want %q", f[0], f[2], f[1]))
		}
	}
	if off := w.Duration - r.Duration; off < -1 || off > 1 {
		d = append(d, fmt.Sprintf("duration is %d, want %d", r.Duration, w.Duration))
	}
	return strings.Join(d, ", ")
}
