//go:build lab

package lab

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/torture"
)

var (
	seedFlag   = flag.Uint64("seed", 1, "of what happens when in TestTorture")
	faultsFlag = flag.Int("faults", 30, "how many faults there are in TestTorture; 0 leaves it out")
	forFlag    = flag.Duration("for", 45*time.Second, "how long calls and faults go on in TestTorture")
)

const (
	settles = 3 * time.Minute // within which voipd has to be well again, and every record right
	restart = "voipd ended by itself"
)

// storm is a torture of voipd on the real Asterisk.
type storm struct {
	*run
	t      *testing.T
	random *rand.Rand // of faults
	chosen *rand.Rand // of scenarios
	wire   *Wire
	disk   *torture.Disk
	storm  *torture.Storm
	tried  *Daemon // that is tortured
	again  int     // starts after an exit on a full disk
	odd    int     // scenarios that were not played to their end
}

// TestTorture plays scenarios at random, without a pause, while one voipd is
// killed and stopped, the wire between it and the PBX fails, its disk gets full
// and the PBX's clock is set. In the end it has to tell what another voipd tells
// that nothing happened to: each call once, and no field otherwise unless the
// record says that it is approximate.
func TestTorture(t *testing.T) {
	if *captureFlag != "" || *morningFlag != "" || *onlyFlag != "" || *faultsFlag == 0 {
		t.Skip("only scenarios are asked for, or no faults")
	}
	ctx, cancel := context.WithTimeout(t.Context(), *forFlag+10*time.Minute)
	defer cancel()
	fmt.Printf("lab: Asterisk %s: torture: seed %d, %d faults in %v\n", *versionFlag, *seedFlag, *faultsFlag, *forFlag)
	s := openStorm(ctx, t)
	s.rage(ctx)
	s.settle(ctx)
	s.verdict(ctx)
}

func openStorm(ctx context.Context, t *testing.T) *storm {
	t.Helper()
	s := &storm{run: openRun(ctx, t, WithClock), t: t, random: rand.New(rand.NewPCG(*seedFlag, 1)), chosen: rand.New(rand.NewPCG(*seedFlag, 2))}
	s.startDaemons(ctx, t, "ami")
	var err error
	if s.wire, err = NewWire(pbxAMI); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.wire.Close)
	files := filepath.Join(s.dir.Path, "run", "tried")
	if s.disk, err = torture.NewDisk(filepath.Join(files, "store")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.disk.Close(); err != nil {
			t.Error(err)
		}
	})
	s.tried, err = StartDaemon(ctx, s.office, s.daemon.binary, files, Setup{Source: "ami", AMI: s.wire.Addr(), Store: s.disk.Dir,
		CEL: s.office.PBX.Path(celFile), Hasty: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.end(s.tried.process.kill) })
	s.storm = torture.NewStorm(s.random, s.faults(), *faultsFlag, *forFlag)
	s.began = time.Now()
	return s
}

// faults are the kinds of faults that can be had here.
func (s *storm) faults() []torture.Fault {
	over := func() {}
	clock := func(ahead time.Duration) func() {
		return func() {
			if err := s.office.PBX.SetClock(ahead); err != nil {
				s.t.Error(err)
			}
		}
	}
	return append([]torture.Fault{
		{Kind: "PBX away", What: "wire", Begin: func() { s.wire.Away(true) }, End: func() { s.wire.Away(false) }, Deaf: true},
		{Kind: "PBX slow", What: "slow", Begin: func() { s.wire.Slow(true) }, End: func() { s.wire.Slow(false) }, Deaf: true},
		{Kind: "clock set ahead", What: "clock", Begin: clock(time.Hour), End: clock(0), Rare: true},
		{Kind: "clock set back", What: "clock", Begin: clock(-time.Hour), End: clock(0), Rare: true},
		{Kind: "garbage", What: "garbage", Begin: func() { s.wire.Garble(torture.Garbage(s.random)) }, End: over, Deaf: true},
		{Kind: "link cut", What: "cut", Begin: s.wire.Cut, End: over, Deaf: true},
		{Kind: "link frozen", What: "frozen", Begin: s.wire.Freeze, End: over, Deaf: true},
		{Kind: "voipd killed", What: "voipd", Begin: func() { s.end(s.tried.process.kill) }, End: s.startAgain, Deaf: true},
		{Kind: "voipd stopped", What: "voipd", Begin: func() { s.end(s.stop) }, End: s.startAgain, Deaf: true},
	}, s.disk.Faults()...)
}

// stop ends voipd as systemd would.
func (s *storm) stop() {
	if err := s.tried.process.stop(20 * time.Second); err != nil && !s.disk.Tight(s.storm) {
		s.t.Errorf("voipd on SIGTERM: %v", err)
	}
}

// end ends voipd in some way, unless it does not run.
func (s *storm) end(how func()) {
	if s.tried.process != nil {
		how()
		s.tried.process = nil
	}
}

// startAgain starts voipd after a fault, unless it ended by itself meanwhile:
// then that is done when its time has come.
func (s *storm) startAgain() {
	if !s.storm.Lasts(restart) {
		s.start()
	}
}

func (s *storm) start() {
	if s.tried.process == nil {
		if err := s.tried.launch(); err != nil {
			s.t.Error(err)
		}
	}
}

// supervise starts voipd again when it ended by itself, as systemd does. It may
// do so only while its disk is full.
func (s *storm) supervise() {
	if s.tried.process == nil {
		return
	}
	select {
	case <-s.tried.process.exited:
	default:
		return
	}
	if !s.disk.Tight(s.storm) {
		s.t.Errorf("voipd ended by itself: %v\n%s", s.tried.process.err, s.tried.Log(10))
	}
	s.tried.process = nil
	s.again++
	s.storm.Add(restart, time.Second, s.start)
}

// rage plays scenarios and lets things fail, until the time is over and all
// that was begun has ended.
func (s *storm) rage(ctx context.Context) {
	var all []Scenario
	for _, scenario := range s.scenarios {
		if byDialplan(scenario) {
			all = append(all, scenario)
		}
	}
	end := time.Now().Add(*forFlag)
	done := make(chan struct{})
	go func() {
		defer close(done)
		playWhile(maxTogether, func(held map[string]bool) (Scenario, turn) {
			if time.Now().After(end) || ctx.Err() != nil {
				return Scenario{}, over
			}
			s.chosen.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
			if i := firstFree(all, held); i >= 0 {
				return all[i], begin
			}
			return Scenario{}, wait
		}, func(scenario Scenario) { s.play(ctx, scenario) })
	}()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for playing := true; playing || s.storm.Coming() || s.storm.Lasting(); {
		s.supervise()
		s.storm.Step(time.Now())
		select {
		case <-done:
			playing = false
			<-tick.C
		case <-tick.C:
		}
	}
}

// byDialplan tells whether the calls of a scenario are placed without a voipd,
// and can be told by AMI and CEL.
func byDialplan(s Scenario) bool {
	for _, c := range s.Calls {
		if strings.HasPrefix(c.By, "voipd-") {
			return false
		}
	}
	for _, a := range s.Acts {
		if strings.HasPrefix(a.Do, "record-bridge") {
			return false
		}
	}
	return !s.Later
}

// play plays a scenario. Where the clock is set in it, what happens may not be
// what is written; what did happen is what the other voipd tells.
func (s *storm) play(ctx context.Context, scenario Scenario) {
	p, err := s.office.Play(ctx, scenario)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.odd++
	}
	if p != nil {
		s.played = append(s.played, p)
	}
}

// settle lets everything be well again.
func (s *storm) settle(ctx context.Context) {
	s.start()
	for _, d := range []*Daemon{s.daemon, s.tried} {
		if err := d.awaitWell(ctx, settles); err != nil {
			s.t.Errorf("%v\n%s", err, d.Log(20))
		}
	}
}

// keep copies the files of both voipds and the CEL to where they outlive the
// test.
func (s *storm) keep() {
	dir, err := os.MkdirTemp("", "voipd-storm-")
	if err != nil {
		s.t.Log(err)
		return
	}
	s.end(s.stop)
	for _, from := range []string{s.tried.dir + "/voipd.log", s.tried.Store + "/voipd.db", s.tried.CEL, s.daemon.dir + "/voipd.db"} {
		b, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, filepath.Base(filepath.Dir(from))+"-"+filepath.Base(from)), b, 0o600)
		}
		if err != nil {
			s.t.Log(err)
		}
	}
	s.t.Logf("the files of both voipds and the CEL are in %s", dir)
}
