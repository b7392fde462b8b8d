package torture

import (
	"syscall"
	"time"

	"github.com/voipd/voipd/internal/sim"
)

// process is voipd itself.
const process = "voipd"

// faults are the kinds of faults that can be had here.
func (r *run) faults() []Fault {
	v, pbx := r.voipd, r.pbx
	over := func() {}
	return append([]Fault{
		{Kind: "Asterisk crashed", What: "pbx", Begin: func() { pbx.Away(true); pbx.Crash() }, End: func() { pbx.Away(false) }, Deaf: true},
		{Kind: "PBX away", What: "pbx", Begin: func() { pbx.Away(true) }, End: func() { pbx.Away(false) }, Deaf: true},
		{Kind: "PBX slow", What: "slow", Begin: func() { pbx.SlowDown(sim.Slow{Piece: 64, Pause: 2 * time.Millisecond}) },
			End: func() { pbx.SlowDown(sim.Slow{}) }, Deaf: true},
		{Kind: "clock set ahead", What: "clock", Begin: func() { pbx.SetClock(time.Hour) }, End: func() { pbx.SetClock(0) }, Rare: true},
		{Kind: "clock set back", What: "clock", Begin: func() { pbx.SetClock(-time.Hour) }, End: func() { pbx.SetClock(0) }, Rare: true},
		{Kind: "garbage", What: "garbage", Begin: func() { pbx.Garble(Garbage(r.random)) }, End: over, Deaf: true},
		{Kind: "link cut", What: "cut", Begin: pbx.Cut, End: over, Deaf: true},
		{Kind: "link frozen", What: "frozen", Begin: pbx.Hang, End: over, Deaf: true},
		{Kind: "login refused", What: "login", Begin: func() { pbx.RefuseLogins(true); pbx.Cut() }, End: func() { pbx.RefuseLogins(false) }, Deaf: true},
		{Kind: "a fact panics", What: "fact", Begin: v.poisonFact, End: over, Deaf: true},
		{Kind: "a row of the journal is none", What: process, Begin: func() { v.end(syscall.SIGKILL); v.poisonJournal() }, End: r.startAgain, Deaf: true},
		{Kind: "voipd killed", What: process, Begin: func() { v.end(syscall.SIGKILL) }, End: r.startAgain, Deaf: true},
		{Kind: "voipd stopped", What: process, Begin: func() { v.end(syscall.SIGTERM) }, End: r.startAgain, Deaf: true},
	}, r.disk.Faults()...)
}

// startAgain starts voipd after a fault, unless it ended by itself meanwhile:
// then that is done when its time has come.
func (r *run) startAgain() {
	if !r.storm.Lasts(restart) {
		r.voipd.start()
	}
}
