package torture

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/sim"
)

const (
	mostCalls = 40                     // at once
	callEvery = 150 * time.Millisecond // on the average
	recoverIn = 60 * time.Second
	restart   = "voipd ended by itself"
)

// run is one torture.
type run struct {
	t      *testing.T
	random *rand.Rand // of faults
	called *rand.Rand // of calls
	pbx    *sim.PBX
	voipd  *voipd
	disk   *Disk
	storm  *Storm
	scenes []*scene
	calls  []call
	again  int // starts after an exit on a full disk
}

// TestTorture: whatever fails when, every call that took place is told once,
// and right.
func TestTorture(t *testing.T) {
	seed, most, length := option[uint64]("seed"), option[int]("faults"), option[time.Duration]("for")
	if most == 0 {
		t.Skip("make torture runs it: it lasts as long as it is told to")
	}
	fmt.Printf("torture: seed %d, %d faults in %v\n", seed, most, length)
	r := newRun(t, seed, most, length)
	r.voipd.start()
	if err := r.voipd.well(recoverIn); err != nil {
		t.Fatal(err)
	}
	r.rage(length)
	r.settle()
	r.verdict()
}

func newRun(t *testing.T, seed uint64, most int, length time.Duration) *run {
	t.Helper()
	dir := t.TempDir()
	cel := filepath.Join(dir, "cel.csv")
	if err := os.WriteFile(cel, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	monitor := filepath.Join(dir, "monitor")
	pbx, err := sim.New(sim.Options{CEL: cel, Monitor: monitor})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = pbx.Run(context.Background()) }()
	t.Cleanup(func() { pbx.Close(); <-done })
	d, err := NewDisk(filepath.Join(dir, "store"))
	if err != nil {
		fmt.Printf("torture: the disk is never full: %v\n", err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	v := newVoipd(t, dir, d.Dir, pbx.Addr(), cel, monitor, impatient)
	t.Cleanup(func() { v.end(syscall.SIGKILL) })
	r := &run{t: t, random: rand.New(rand.NewPCG(seed, 1)), called: rand.New(rand.NewPCG(seed, 2)), pbx: pbx, voipd: v, disk: d, scenes: scenes(t)}
	r.storm = NewStorm(r.random, r.faults(), most, length)
	v.mayFail = func() bool { return d.Tight(r.storm) }
	return r
}

// rage places calls and lets things fail, until the time is over.
func (r *run) rage(length time.Duration) {
	begin := time.Now()
	nextCall := begin
	for time.Since(begin) < length || r.storm.Coming() {
		now := time.Now()
		if !nextCall.After(now) {
			r.place()
			nextCall = now.Add(time.Duration(r.called.Int64N(int64(2 * callEvery))))
		}
		r.supervise()
		r.storm.Step(now)
		<-time.After(10 * time.Millisecond)
	}
}

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
	r.storm.Add(restart, time.Second, r.voipd.start)
}

// settle lets everything be well again and every call end.
func (r *run) settle() {
	for r.storm.Lasting() {
		r.storm.Step(time.Now())
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
		if j = judge(r.calls, all, r.storm.Blind); len(j.problems) == 0 {
			break
		}
	}
	<-time.After(2 * time.Second)
	all, err := r.voipd.records()
	if err != nil {
		r.t.Fatal(err)
	}
	j = judge(r.calls, all, r.storm.Blind)
	played := r.play(j)
	if n, err := r.voipd.openCalls(); err != nil || n != 0 {
		r.t.Errorf("%d calls are still open (%v)", n, err)
	}
	r.tell(j, len(all), played)
	if r.t.Failed() {
		r.keep()
	}
}

// playEvery is of how many recordings one is listened to.
const playEvery = 10

// play fetches the audio of some recordings by their links, and tells of how
// many.
func (r *run) play(j *judgement) (played int) {
	for i := 0; i < len(j.toPlay); i += playEvery {
		t := j.toPlay[i]
		if err := r.voipd.listen(t); err != nil {
			j.bad("lost recording: %s cannot be played: %v", t.CallID, err)
			continue
		}
		played++
	}
	return played
}

func (r *run) tell(j *judgement, records, played int) {
	total := r.storm.Tell("torture:")
	fmt.Printf("torture: %d faults, %d calls (%d of them cut by a crash of Asterisk), %d records: %d right, %d approximate; %d told by CEL; %d cut before anything was written of them, while voipd was not there; voipd started again on a full disk %d times\n",
		total, len(r.calls), j.crashed, records, j.right, j.approximate, j.byCEL, j.unwritten, r.again)
	count := map[string]int{}
	for _, p := range j.problems {
		kind, _, _ := strings.Cut(p, ":")
		count[kind]++
		r.t.Error(p)
	}
	fmt.Printf("torture: %d records have the recording that was made, %d of them found on the disk by its name; %d links were played\n", j.recorded, j.found, played)
	fmt.Printf("torture: %d missing, %d doubled, %d wrong, %d invented, %d lost recordings\n",
		count["missing"], count["doubled"], count["wrong"], count["invented"], count["lost recording"])
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
