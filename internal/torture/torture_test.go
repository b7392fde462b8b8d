package torture

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/sim"
)

const (
	mostCalls  = 40                     // at once
	callEvery  = 150 * time.Millisecond // on the average
	longestEnd = 4 * time.Second        // of a fault that lasts
	recoverIn  = 60 * time.Second
	restart    = "voipd ended by itself"
)

// run is one torture.
type run struct {
	t      *testing.T
	random *rand.Rand // of faults
	called *rand.Rand // of calls
	pbx    *sim.PBX
	voipd  *voipd
	disk   *disk
	scenes []*scene
	calls  []call
	counts map[string]int

	ends  []pending      // of what lasts
	dark  [][2]time.Time // when voipd or its link was not there
	again int            // starts after an exit on a full disk
}

// pending is the end of something that lasts.
type pending struct {
	kind string
	at   time.Time
	end  func()
}

// TestTorture: whatever fails when, every call that took place is told once,
// and right.
func TestTorture(t *testing.T) {
	seed, most, length := option[uint64]("seed"), option[int]("faults"), option[time.Duration]("for")
	if most == 0 {
		t.Skip("make torture runs it: it lasts as long as it is told to")
	}
	fmt.Printf("torture: seed %d, %d faults in %v\n", seed, most, length)
	r := newRun(t, seed)
	r.voipd.start()
	if err := r.voipd.well(recoverIn); err != nil {
		t.Fatal(err)
	}
	r.rage(most, length)
	r.settle()
	r.verdict()
}

func newRun(t *testing.T, seed uint64) *run {
	t.Helper()
	dir := t.TempDir()
	cel := filepath.Join(dir, "cel.csv")
	if err := os.WriteFile(cel, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	pbx, err := sim.New(sim.Options{CEL: cel})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = pbx.Run(context.Background()) }()
	t.Cleanup(func() { pbx.Close(); <-done })
	d := newDisk(t)
	v := newVoipd(t, dir, d.dir, pbx.Addr(), cel)
	t.Cleanup(func() { v.end(syscall.SIGKILL) })
	r := &run{t: t, random: rand.New(rand.NewPCG(seed, 1)), called: rand.New(rand.NewPCG(seed, 2)), pbx: pbx, voipd: v, disk: d, scenes: scenes(t), counts: map[string]int{}}
	v.mayFail = func() bool { return r.lasts("disk full") || time.Since(d.emptied) < longestEnd } // it tried while it was full
	return r
}

// rage places calls and lets things fail, until the time is over.
func (r *run) rage(most int, length time.Duration) {
	begin := time.Now()
	plan := r.plan(r.faults(), most, length)
	nextCall := begin
	for time.Since(begin) < length || len(plan) > 0 {
		now := time.Now()
		if !nextCall.After(now) {
			r.place()
			nextCall = now.Add(time.Duration(r.called.Int64N(int64(2 * callEvery))))
		}
		r.finish(now)
		r.supervise()
		for len(plan) > 0 && now.Sub(begin) >= plan[0].at {
			r.fail(plan[0])
			plan = plan[1:]
		}
		<-time.After(10 * time.Millisecond)
	}
}

// planned is a fault, when it begins and how long it lasts.
type planned struct {
	fault
	at, lasts time.Duration
}

// plan says what fails when: only the seed decides. What lasts does not begin
// again before it is over.
func (r *run) plan(kinds []fault, most int, length time.Duration) []planned {
	every := length / time.Duration(max(most, 1))
	free := map[string]time.Duration{}
	var all []planned
	for len(all) < most {
		p := planned{fault: kinds[r.random.IntN(len(kinds))], lasts: r.upTo(longestEnd)}
		if p.rare && r.random.IntN(3) > 0 {
			continue
		}
		p.at = max(time.Duration(len(all))*every+r.upTo(every), free[p.what])
		free[p.what] = p.at + p.lasts + time.Second
		all = append(all, p)
	}
	slices.SortStableFunc(all, func(a, b planned) int { return cmp.Compare(a.at, b.at) })
	return all
}

func (r *run) upTo(d time.Duration) time.Duration { return time.Duration(r.random.Int64N(int64(d))) }

// place begins a call, of which each scene has two at a time at the most.
func (r *run) place() {
	open := 0
	for _, s := range r.scenes {
		s.playing = 0
	}
	for _, c := range r.calls {
		select {
		case <-c.playing.Done():
		default:
			open++
			c.scene.playing++
		}
	}
	s := r.scenes[r.called.IntN(len(r.scenes))]
	if open < mostCalls && s.playing < 2 {
		r.calls = append(r.calls, call{s, r.pbx.Play(s.capture, 0), time.Now()})
	}
}

// fail lets one thing go wrong.
func (r *run) fail(p planned) {
	r.counts[p.kind]++
	if p.deaf {
		r.dark = append(r.dark, [2]time.Time{time.Now(), time.Now().Add(p.lasts)})
	}
	p.begin()
	end := p.end
	if p.what == process {
		if r.lasts(restart) {
			return // it is down already, by itself
		}
		end = r.voipd.start
	}
	r.ends = append(r.ends, pending{p.kind, time.Now().Add(p.lasts), end})
}

// blindFor is how long after a fault voipd may not yet listen again: it starts,
// logs in and asks for the channels.
const blindFor = 3 * time.Second

// blind tells whether voipd may not have heard what was said at a moment, for a
// fault that began up to a second later: what it had received is lost with it.
func (r *run) blind(at time.Time) bool {
	return slices.ContainsFunc(r.dark, func(d [2]time.Time) bool { return at.Add(time.Second).After(d[0]) && at.Before(d[1].Add(blindFor)) })
}

// finish ends what lasted long enough.
func (r *run) finish(now time.Time) {
	r.ends = slices.DeleteFunc(r.ends, func(p pending) bool {
		if p.at.After(now) {
			return false
		}
		p.end()
		return true
	})
}

// supervise starts voipd again when it ended by itself, as systemd does. It may
// do so only while its disk is full.
func (r *run) supervise() {
	gone, err := r.voipd.gone()
	if !gone {
		return
	}
	if !r.voipd.mayFail() {
		r.t.Errorf("voipd ended by itself: %v", err)
	}
	r.again++
	r.ends = append(r.ends, pending{restart, time.Now().Add(time.Second), r.voipd.start})
}

func (r *run) lasts(kind string) bool {
	return slices.ContainsFunc(r.ends, func(p pending) bool { return p.kind == kind })
}

// settle lets everything be well again and every call end.
func (r *run) settle() {
	for len(r.ends) > 0 {
		r.finish(time.Now())
		r.supervise()
		<-time.After(10 * time.Millisecond)
	}
	for _, c := range r.calls {
		<-c.playing.Done()
	}
	if err := r.voipd.well(recoverIn); err != nil {
		r.t.Error(err)
	}
}

// verdict waits for the records to be right, and looks once more a little
// later: right once is to be right for good.
func (r *run) verdict() {
	var j *judgement
	for end := time.Now().Add(recoverIn / 2); time.Now().Before(end); <-time.After(500 * time.Millisecond) {
		all, err := r.voipd.records()
		if err != nil {
			r.t.Fatal(err)
		}
		if j = judge(r.calls, all, r.blind); len(j.problems) == 0 {
			break
		}
	}
	<-time.After(2 * time.Second)
	all, err := r.voipd.records()
	if err != nil {
		r.t.Fatal(err)
	}
	j = judge(r.calls, all, r.blind)
	if n, err := r.voipd.openCalls(); err != nil || n != 0 {
		r.t.Errorf("%d calls are still open (%v)", n, err)
	}
	r.tell(j, len(all))
	if r.t.Failed() {
		r.keep()
	}
}

func (r *run) tell(j *judgement, records int) {
	total := 0
	for _, kind := range slices.Sorted(maps.Keys(r.counts)) {
		fmt.Printf("torture: %4d × %s\n", r.counts[kind], kind)
		total += r.counts[kind]
	}
	fmt.Printf("torture: %d faults, %d calls (%d of them cut by a crash of Asterisk), %d records: %d right, %d approximate; %d told by CEL; %d cut before anything was written of them, while voipd was not there; voipd started again on a full disk %d times\n",
		total, len(r.calls), j.crashed, records, j.right, j.approximate, j.byCEL, j.unwritten, r.again)
	count := map[string]int{}
	for _, p := range j.problems {
		kind, _, _ := strings.Cut(p, ":")
		count[kind]++
		r.t.Error(p)
	}
	fmt.Printf("torture: %d missing, %d doubled, %d wrong, %d invented\n", count["missing"], count["doubled"], count["wrong"], count["invented"])
}

// keep copies voipd's log, its database and the CEL to where they outlive the
// test.
func (r *run) keep() {
	dir, err := os.MkdirTemp("", "voipd-torture-")
	if err != nil {
		r.t.Log(err)
		return
	}
	r.voipd.end(syscall.SIGTERM) // so that the database is whole
	for _, from := range []string{r.voipd.log, r.voipd.cel, r.voipd.store, r.voipd.store + "-wal"} {
		b, err := os.ReadFile(from)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, filepath.Base(from)), b, 0o600)
		}
		if err != nil {
			r.t.Log(err)
		}
	}
	r.t.Logf("voipd's log, its database and the CEL are in %s", dir)
}
