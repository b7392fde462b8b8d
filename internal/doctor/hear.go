package doctor

import (
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/voipd/voipd/ami"
)

// offset is how far the PBX's clock is from ours, as its events show. An event
// needs some time to come, so that the least is nearest to the truth.
type offset struct {
	mu    sync.Mutex
	least time.Duration
	seen  bool
}

func (o *offset) hear(stamp string, received time.Time) {
	seconds, err := strconv.ParseFloat(stamp, 64)
	if err != nil {
		return
	}
	apart := received.Sub(time.UnixMicro(int64(seconds * 1e6)))
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.seen || apart.Abs() < o.least.Abs() {
		o.least, o.seen = apart, true
	}
}

// clocksApart is how far apart the clocks may be.
const clocksApart = 5 * time.Second

// apart compares the clocks.
func (r *Report) apart(o *offset) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.seen || o.least.Abs() < clocksApart {
		return
	}
	way := "behind"
	if o.least < 0 {
		way = "ahead of"
	}
	r.find(fmt.Sprintf("the PBX's clock is %s %s this machine's: records have the PBX's times, and gaps are looked for at the wrong ones", o.least.Abs().Round(time.Second), way), "sudo timedatectl set-ntp true, on both")
}

// way is what was heard of calls going through the dialplan.
type way struct {
	mu       sync.Mutex
	began    map[string]bool // channels that began while we listened
	dialled  bool            // one of them got so far as to dial
	variable bool            // VarSet came, of class dialplan
	steps    bool            // Newexten came, of the same class
}

func (w *way) hear(m *ami.Message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch string(m.Event()) {
	case "Newchannel":
		if w.began == nil {
			w.began = map[string]bool{}
		}
		w.began[string(m.Get("Channel"))] = true
	case "DialBegin":
		w.dialled = w.dialled || w.began[string(m.Get("Channel"))]
	case "VarSet":
		w.variable = true
	case "Newexten":
		w.steps = true
	}
}

// hidden finds a filter of the PBX: one kind of event is missing where others
// of its class come.
func (r *Report) hidden(w *way) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.dialled && w.variable && !w.steps {
		r.find("a call dialled, and no event Newexten came, though others of its class do: an eventfilter hides them, and with them the way through an IVR",
			"take eventfilter out of the user's section of manager.conf (MikoPBX: put \"Event: .*\" into the user's filter)")
	}
}
