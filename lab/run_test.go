//go:build lab

package lab

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// run is one pass over the table on one office.
type run struct {
	version   Version
	dir       *Dir
	office    *Office
	daemon    *Daemon           // over AMI; nil: nobody is asked
	second    *Daemon           // over ARI; may be nil
	hooks     map[string]string // where each voipd posts its events, by its source; none: nowhere
	left      []string          // scenarios that this Asterisk cannot play, and why
	listed    int               // differences between the two that are on the list
	unwritten int               // what CEL tells otherwise, and is on the list
	scenarios []Scenario
	began     time.Time
	stream    *Recorder
	ami       string // where the stream was saved

	mu       sync.Mutex
	played   []*playing
	problems map[string][]string // by scenario
	again    map[string][]string // what was wrong with those that were right when they played again
}

func (r *run) problem(scenario, format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.problems[scenario] = append(r.problems[scenario], fmt.Sprintf(format, args...))
}

// playAll plays every scenario, so many together where they share no phone.
func (r *run) playAll(ctx context.Context, t *testing.T, together int) {
	t.Helper()
	var err error
	if r.stream, err = r.office.Record(ctx, voipdUser); err != nil {
		t.Fatal(err)
	}
	r.began = time.Now()
	playTogether(r.scenarios, together, func(s Scenario) {
		p, err := r.office.Play(ctx, s)
		if err != nil {
			r.problem(s.Name, "%v", err)
			return
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.played = append(r.played, p)
	})
	for _, p := range r.played {
		if !testing.Verbose() {
			break // a list of all would hide what is wrong
		}
		t.Logf("%-26s %5.1f s  ids %v  rang %v  answered %v", p.Name, p.ended.Sub(p.started).Seconds(), p.ids, p.rang, p.up)
	}
	if stray := r.office.watch.strays(); len(stray) > 0 {
		t.Errorf("channels on the PBX that belong to no scenario: %v", stray)
	}
	// The stream is kept beside voipd's files, to be replayed, unless somebody wants it.
	morning := *morningFlag
	if morning == "" {
		morning = filepath.Join(r.dir.Path, "run", "stream")
		t.Cleanup(func() { os.RemoveAll(morning) })
	}
	r.ami = filepath.Join(morning, "ami.txt")
	if err := r.stream.Save(morning, "morning", "a whole run of the laboratory, calls side by side", r.version.Name, r.played...); err != nil {
		t.Error(err)
	}
}

// replay lets "voipd replay" tell the same run from the raw AMI stream: what
// it says must be what the daemon says.
func (r *run) replay(ctx context.Context, t *testing.T, told []Record) {
	t.Helper()
	replayed, err := r.daemon.Replay(ctx, r.ami)
	if err != nil {
		t.Error(err)
		return
	}
	byID := map[string]Record{}
	for _, rec := range replayed {
		byID[rec.CallID] = rec
	}
	if len(replayed) != len(told) {
		t.Errorf("voipd replay tells %d records, voipd serve %d", len(replayed), len(told))
	}
	for _, rec := range told {
		again := byID[rec.CallID]
		rec.Call, again.Call = nil, nil // a capture does not know which files exist
		if !reflect.DeepEqual(rec, again) {
			t.Errorf("voipd replay tells %s, voipd serve %s", describe([]Record{again}), describe([]Record{rec}))
		}
	}
}

// ask compares what voipd tells with what had to come of it: every record
// that is expected, field by field, and no other one.
func (r *run) ask(ctx context.Context, t *testing.T) {
	t.Helper()
	want := map[string]bool{}
	for _, p := range r.played {
		for i, c := range p.Calls {
			if c.Want != nil {
				want[p.ids[i]] = true
			}
		}
	}
	records, err := r.awaitRecords(ctx, r.daemon, want)
	if err != nil {
		t.Error(err)
	}
	r.replay(ctx, t, records)
	byID := map[string][]Record{}
	for _, rec := range records {
		byID[rec.CallID] = append(byID[rec.CallID], rec)
	}
	for _, p := range r.played {
		for i, c := range p.Calls {
			got := byID[p.ids[i]]
			delete(byID, p.ids[i])
			r.judge(ctx, p, i, c, got)
		}
	}
	for id, invented := range byID {
		owner := r.office.watch.ownerOf(id)
		if owner == "" {
			t.Errorf("records of calls that nobody made: %s", describe(invented))
			continue
		}
		r.problem(owner, "invented: %s", describe(invented))
	}
	r.compareCEL(ctx, t, records)
	if r.second != nil {
		r.compareSources(ctx, t, want, records)
	}
}

// compareSources compares what voipd says over ARI with what it says over
// AMI: whatever is not in the list of Differences is a problem.
func (r *run) compareSources(ctx context.Context, t *testing.T, want map[string]bool, first []Record) {
	t.Helper()
	second, err := r.awaitRecords(ctx, r.second, want)
	if err != nil {
		t.Error(err)
	}
	byID := map[string][2][]Record{}
	for i, records := range [][]Record{first, second} {
		for _, rec := range records {
			both := byID[rec.CallID]
			both[i] = append(both[i], rec)
			byID[rec.CallID] = both
		}
	}
	for _, p := range r.played {
		for i := range p.Calls {
			r.compareCall(p, i, byID[p.ids[i]])
			delete(byID, p.ids[i])
		}
	}
	for id, both := range byID {
		if owner := r.office.watch.ownerOf(id); len(both[1]) > len(both[0]) {
			r.problem(owner, "over ARI, invented: %s", describe(both[1]))
		}
	}
}

func (r *run) compareCall(p *playing, i int, both [2][]Record) {
	where := fmt.Sprintf("call %d (%s) over ARI", i+1, p.ids[i])
	differ := func(field, format string, args ...any) {
		if untellable("ari", p.Name, i+1, field, r.version.Name) != "" {
			r.listed++
			return
		}
		r.problem(p.Name, "%s: %s", where, fmt.Sprintf(format, args...))
	}
	if len(both[0]) != len(both[1]) {
		differ("record", "%d records: %s; over AMI %d", len(both[1]), describe(both[1]), len(both[0]))
		return
	}
	for k := range both[0] {
		for _, d := range both[0][k].told().differences(both[1][k].told()) {
			differ(d.field, "%s is %q, over AMI %q", d.field, d.got, d.want)
		}
	}
}

// awaitRecords asks until all the wanted records are there, at most 15 s: a
// call may close a little after its last channel.
func (r *run) awaitRecords(ctx context.Context, d *Daemon, want map[string]bool) ([]Record, error) {
	deadline := time.Now().Add(15 * time.Second)
	for {
		records, err := d.Records(ctx, r.began, time.Now().Add(time.Minute))
		if err != nil {
			return nil, err
		}
		missing := len(want)
		for _, rec := range records {
			if want[rec.CallID] {
				missing--
			}
		}
		if missing <= 0 || time.Now().After(deadline) {
			return records, nil
		}
		if err := pause(ctx, 200*time.Millisecond); err != nil {
			return records, err
		}
	}
}

// judge compares the records of one call with what is wanted of it.
func (r *run) judge(ctx context.Context, p *playing, i int, c Call, got []Record) {
	where := fmt.Sprintf("call %d (%s)", i+1, p.ids[i])
	switch {
	case c.Want == nil && len(got) == 0:
		return
	case c.Want == nil:
		r.problem(p.Name, "%s must have no record, and has %s", where, describe(got))
		return
	case len(got) != 1:
		r.problem(p.Name, "%s must have one record, and has %d %s", where, len(got), describe(got))
		return
	}
	rec := got[0]
	for _, d := range c.Want.deviations(rec.told()) {
		r.problem(p.Name, "%s: %s", where, d)
	}
	if rec.SrcPhoneExt != nil || rec.DstPhoneExt != nil {
		r.problem(p.Name, "%s: has srcPhoneExt or dstPhoneExt", where)
	}
	if c.Want.Audio != 0 && rec.Recorded() {
		r.judgeAudio(ctx, p, i, rec)
	}
}

// judgeAudio follows the link of a recorded call: the bytes must be those of
// a file that the PBX made for this call, and last as long as they should.
func (r *run) judgeAudio(ctx context.Context, p *playing, i int, rec Record) {
	where, c := fmt.Sprintf("call %d (%s)", i+1, p.ids[i]), p.Calls[i]
	b, err := r.daemon.Audio(ctx, rec.Call)
	if err != nil {
		r.problem(p.Name, "%s: %v", where, err)
		return
	}
	kind, length, err := AudioLength(b)
	if err != nil {
		r.problem(p.Name, "%s: behind the link: %v", where, err)
		return
	}
	if c.Want.Audio != NotJudged && math.Abs(length.Seconds()-float64(c.Want.Audio)) > 1 {
		r.problem(p.Name, "%s: behind the link are %.1f s of %s, must be %d s", where, length.Seconds(), kind, c.Want.Audio)
	}
	same, err := r.filesWith(b)
	if err != nil {
		r.problem(p.Name, "%s: %v", where, err)
		return
	}
	ofThisCall := slices.ContainsFunc(same, func(name string) bool {
		if strings.Contains(name, p.ids[i]+".") {
			return true
		}
		return slices.ContainsFunc(strings.Split(c.Want.Src+"|"+c.Want.Dst, "|"), func(who string) bool { return strings.Contains(name, who) })
	})
	if !ofThisCall {
		r.problem(p.Name, "%s: what is behind the link is no recording of this call: %v", where, same)
	}
}

// filesWith lists the PBX's recordings that have exactly these bytes.
func (r *run) filesWith(b []byte) ([]string, error) {
	var same []string
	err := filepath.WalkDir(r.office.PBX.Path(monitorDir), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil || info.Size() != int64(len(b)) {
			return err
		}
		have, err := os.ReadFile(path)
		if bytes.Equal(have, b) {
			same = append(same, d.Name())
		}
		return err
	})
	return same, err
}

func describe(records []Record) string {
	var s []string
	for _, r := range records {
		s = append(s, fmt.Sprintf("{%s %s from %q to %q %s %d s}", r.CallID, r.Direction, r.SrcPhone, r.DstPhone, r.Disposition, r.Duration))
	}
	return strings.Join(s, ", ")
}

// differences compares what two sources say of one call.
func (t told) differences(other told) []deviation {
	return Want{Direction: t.direction, Src: t.src, Dst: t.dst, Disposition: t.disposition, Duration: t.duration,
		Audio: map[bool]int{true: NotJudged}[t.recorded]}.deviations(other)
}
