package torture

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/voipd/voipd/internal/capture"
	"github.com/voipd/voipd/internal/sim"
)

const (
	loadCalls = 200    // new calls a second
	loadOpen  = 20_000 // calls in which two people talk all the time beside them
	// grows is by how much, in percent, the most memory of the second half may be
	// above that of the first: the garbage collector lets the heap breathe. A run
	// shorter than flatFrom is not judged: ended calls are remembered for a minute.
	grows, flatFrom = 15, time.Minute
	// refuseFor is how long calls go on after the first fact was refused.
	refuseFor = 5 * time.Second
	loadWait  = 5 * time.Minute // for what is bound to come
	// loadBacklog is some ten seconds of messages: where others use the machine,
	// voipd may not get a core for a second or two.
	loadBacklog = 1 << 18
)

// load is one run of TestLoad.
type load struct {
	t     *testing.T
	pbx   *sim.PBX
	voipd *voipd
	begun []call

	late  chan time.Duration // of calls that are watched: how late the fake PBX told their end
	worst time.Duration
}

// TestLoad lets a fake PBX tell a voipd, by AMI, of 200 new calls a second
// beside 20,000 open ones: real calls as they were captured, each event of the
// classes that voipd asks for with its own time, six seconds from the first to
// the last. In the end every call has its record and nothing was refused. Then
// the database is locked until more waits than may wait, and nothing is missing
// after it either. How late facts are on the disk and how much memory voipd
// takes is printed for people to read. It runs only when asked for, by "make
// load".
func TestLoad(t *testing.T) {
	length := option[time.Duration]("load")
	if length == 0 {
		t.Skip("a measurement: make load runs it")
	}
	l := newLoad(t)
	l.voipd.start()
	if err := l.voipd.well(recoverIn); err != nil {
		t.Fatal(err)
	}
	fmt.Printf("load: at rest: %d MB resident\n", l.voipd.resident()>>20)
	l.open()
	l.withinTheBound(length)
	l.pastTheBound()
	l.voipd.end(syscall.SIGTERM)
}

func newLoad(t *testing.T) *load {
	t.Helper()
	pbx, v := beside(t)
	return &load{t: t, pbx: pbx, voipd: v, late: make(chan time.Duration, 100)}
}

// beside is a fake PBX that runs and a voipd that is to listen to it, not started
// yet. Both end with the test.
func beside(t testing.TB) (*sim.PBX, *voipd) {
	t.Helper()
	dir := t.TempDir()
	cel := filepath.Join(dir, "cel.csv")
	if err := os.WriteFile(cel, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	pbx, err := sim.New(sim.Options{CEL: cel, Backlog: loadBacklog})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = pbx.Run(context.Background()) }()
	t.Cleanup(func() { pbx.Close(); <-done })
	v := newVoipd(t, dir, dir, pbx.Addr(), cel, filepath.Join(dir, "monitor"), "")
	v.mayFail = func() bool { return false }
	t.Cleanup(func() { v.end(syscall.SIGKILL) })
	return pbx, v
}

// unrecorded is a capture without its recording, of which the fake PBX would
// have to write the file: the names of what tells of it are others, as long.
func unrecorded(t testing.TB, name string) *scene {
	t.Helper()
	files := fstest.MapFS{}
	for _, part := range []string{"ami.txt.gz", "ami.idx", "cel.csv.gz"} {
		text, err := capture.ReadFile(filepath.Join(captures, name, part))
		if err != nil {
			t.Fatal(err)
		}
		other := strings.NewReplacer("MIXMONITOR_FILENAME", "NOTMONITOR_FILENAME", "MixMonitor", "NotMonitor").Replace(string(text))
		files[name+"/"+strings.TrimSuffix(part, ".gz")] = &fstest.MapFile{Data: []byte(other)}
	}
	s := newScene(t, files, name)
	for i := range s.want {
		s.want[i].Details.Recordings = nil
	}
	return s
}

// talking is a call up to where two people talk, as class call tells it; all at
// once.
func talking(t *testing.T) *sim.Capture {
	t.Helper()
	text, err := capture.ReadFile(filepath.Join(captures, "in-answered", "ami.txt.gz"))
	if err != nil {
		t.Fatal(err)
	}
	var some strings.Builder
	for event := range strings.SplitSeq(string(text), "\r\n\r\n") {
		if strings.HasPrefix(event, "Event: HangupRequest") {
			break
		}
		if strings.Contains(event, "\r\nPrivilege: call,all\r\n") {
			some.WriteString(event + "\r\n\r\n")
		}
	}
	c, err := sim.Load(fstest.MapFS{"talking/ami.txt": {Data: []byte(some.String())}}, "talking")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// open begins the calls that stay open, as fast as voipd takes them in.
func (l *load) open() {
	c, begin, rest := talking(l.t), time.Now(), l.voipd.resident()
	for n := range loadOpen {
		<-l.pbx.Play(c, 0).Done()
		if n%100 == 0 {
			l.voipd.until(l.t, func(h status) bool { return h.Queue.Waiting < 5000 })
		}
	}
	l.voipd.until(l.t, func(h status) bool { return h.OpenCalls == loadOpen && h.Queue.Waiting == 0 })
	have := l.voipd.resident()
	fmt.Printf("load: %d calls open after %v: %d MB resident, %d bytes a call\n", loadOpen, time.Since(begin).Round(time.Second), have>>20, (have-rest)/loadOpen)
}

// withinTheBound is the load that voipd has to bear.
func (l *load) withinTheBound(length time.Duration) {
	before := l.voipd.status(l.t)
	lag := l.voipd.lags(l.t)
	begin := time.Now()
	scenes := []*scene{unrecorded(l.t, "in-answered"), unrecorded(l.t, "out-answered"), unrecorded(l.t, "int-answered")}
	var most [2]int64 // resident, in each half
	told := 0
	l.place(scenes, func() bool {
		passed := time.Since(begin)
		half := min(int(2*passed/length), 1)
		most[half] = max(most[half], l.voipd.resident())
		if eighth := int(8 * passed / length); eighth > told && eighth < 8 {
			told = eighth
			s := l.voipd.status(l.t)
			fmt.Printf("load: after %v: %d MB resident, %d calls open, %d facts wait\n", passed.Round(time.Second), l.voipd.resident()>>20, s.OpenCalls, s.Queue.Waiting)
		}
		return passed < length
	})
	calls := len(l.begun)
	l.ended(loadWait)
	after := l.voipd.status(l.t)
	if after.Queue.Refused != 0 {
		l.t.Errorf("%d facts were refused", after.Queue.Refused)
	}
	if n := l.voipd.metrics(l.t)["voipd_pbx_sessions_total"]; n != 1 {
		l.t.Errorf("the link was lost: voipd logged in %v times: %s", n, l.voipd.troubles())
	}
	lag = l.voipd.lags(l.t).since(lag)
	fmt.Printf("load: %d calls in %v beside %d open ones: %d facts, %d refused; from a fact's arrival to the disk p50 %v, p99 %v\n",
		calls, length, after.OpenCalls, after.facts-before.facts, after.Queue.Refused, lag.quantile(0.5), lag.quantile(0.99))
	fmt.Printf("load: memory: at most %d MB resident in the first half, %d MB in the second; the fake PBX was late by %v at most\n", most[0]>>20, most[1]>>20, l.worst.Round(time.Millisecond))
	if length >= flatFrom && most[1]*100 > most[0]*(100+grows) {
		l.t.Errorf("memory is not flat: the second half's is more than %d %% above the first's", grows)
	}
	l.right(begin, "of these calls")
}

// place begins calls evenly until goOn, asked once a second, says no.
func (l *load) place(scenes []*scene, goOn func() bool) {
	begin, n := time.Now(), 0
	tick := time.NewTicker(time.Second / loadCalls)
	defer tick.Stop()
	for ; ; <-tick.C {
		for ; n < int(time.Since(begin).Seconds()*loadCalls); n++ {
			s := scenes[n%len(scenes)]
			c := call{s, l.pbx.Play(s.capture, 0), time.Now()}
			l.begun = append(l.begun, c)
			if n%loadCalls != 0 {
				continue
			}
			go func() {
				<-c.playing.Done()
				l.late <- time.Since(c.began) - s.capture.Length()
			}()
			if !goOn() {
				return
			}
		}
	}
}

// ended waits until every call that was begun is over, and only those that stay
// are open.
func (l *load) ended(within time.Duration) {
	l.t.Helper()
	for n := 0; n < len(l.begun); n += loadCalls {
		l.worst = max(l.worst, <-l.late)
	}
	for _, c := range l.begun {
		<-c.playing.Done()
	}
	l.voipd.until(l.t, func(h status) bool { return h.Queue.Waiting == 0 && h.OpenCalls == loadOpen })
}

// right waits until the records of the calls that were begun are right, and
// forgets these calls.
func (l *load) right(from time.Time, which string) {
	l.t.Helper()
	var j *judgement
	for end := time.Now().Add(loadWait); ; <-time.After(2 * time.Second) {
		all, err := l.voipd.recordsFrom(from.Add(-time.Second))
		if err != nil {
			l.t.Fatal(err)
		}
		if j = judge(l.begun, all, func(time.Time) bool { return false }); len(j.problems)+j.approximate == 0 || time.Now().After(end) {
			break
		}
	}
	for _, p := range j.problems[:min(10, len(j.problems))] {
		l.t.Error(p)
	}
	if j.right != len(l.begun) {
		l.t.Errorf("%d of %d calls have the right record", j.right, len(l.begun))
	}
	fmt.Printf("load: %s %d have their record, right and once, %d do not; %d approximate; %d told by CEL\n", which, j.right, len(j.problems), j.approximate, j.byCEL)
	l.begun = nil
}

// pastTheBound locks the database, so that nothing can be written, while calls
// go on, until facts are refused; unlocks it; and waits until CEL has repaired
// the gap.
func (l *load) pastTheBound() {
	db, err := sql.Open("sqlite3", l.voipd.store+"?_txlock=immediate&_busy_timeout=10000")
	if err != nil {
		l.t.Fatal(err)
	}
	defer db.Close()
	tx, err := db.Begin()
	if err != nil {
		l.t.Fatal(err)
	}
	begin, most, refused, unlocked := time.Now(), int64(0), time.Time{}, time.Time{}
	l.place([]*scene{unrecorded(l.t, "in-answered")}, func() bool {
		most = max(most, l.voipd.resident())
		s := l.voipd.status(l.t)
		switch {
		case s.Queue.Waiting > s.Queue.Bound:
			l.t.Errorf("%d facts wait, more than %d", s.Queue.Waiting, s.Queue.Bound)
		case refused.IsZero() && s.Queue.Refused > 0:
			refused = time.Now()
			fmt.Printf("load: past the bound, the database locked for %v: %s; %d facts wait, %d MB resident\n",
				time.Since(begin).Round(time.Second), s.Status, s.Queue.Waiting, l.voipd.resident()>>20)
		case !refused.IsZero() && unlocked.IsZero() && time.Since(refused) > refuseFor:
			fmt.Printf("load: unlocked after %v: %d facts were refused; %d wait\n", time.Since(begin).Round(time.Second), s.Queue.Refused, s.Queue.Waiting)
			if err := tx.Rollback(); err != nil {
				l.t.Fatal(err)
			}
			unlocked = time.Now()
		}
		return (unlocked.IsZero() || time.Since(unlocked) < refuseFor) && time.Since(begin) < loadWait
	})
	calls := len(l.begun)
	l.ended(loadWait)
	if err := l.voipd.well(loadWait); err != nil {
		l.t.Error(err)
	}
	fmt.Printf("load: %d calls; well again, and the gap repaired from CEL, %v after it was unlocked; at most %d MB resident\n",
		calls, time.Since(unlocked).Round(time.Second), max(most, l.voipd.peak())>>20)
	l.right(begin, "of the calls past the bound")
}
