package ingest

import (
	"context"

	"github.com/voipd/voipd/internal/caught"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

// poison is a fact that made the Machine panic.
type poison struct {
	fact  record.Event
	panic *caught.Panic
}

const (
	// shunAfter is after how many panics the facts of a channel are not applied any
	// more, until it has ended.
	shunAfter = 2
	// mostPanics is of how many channels panics are counted. Beyond, counting
	// begins anew: each may then panic twice again.
	mostPanics = 10_000
)

// heal sets the call of a poisonous fact aside, makes the Machine anew from the
// journal, and asks the PBX for its channels: the call's are met again, and its
// record will be approximate.
func (l *Loop) heal(ctx context.Context, p *poison) error {
	l.setBusy(true)
	defer l.setBusy(false)
	id := p.fact.Channel.ID
	if id == "" {
		id = p.fact.Peer.ID
	}
	if len(l.panics) >= mostPanics {
		clear(l.panics)
	}
	if l.panics[id]++; l.panics[id] == shunAfter {
		l.opt.Log.Error("further facts about a channel are not applied until it ends: they panic each time", "channel", id)
	}
	call := l.machine.CallOf(id)
	if call == "" {
		call = id
	}
	err := l.setAside(ctx, store.Quarantine{CallID: call, Fact: &p.fact, Reason: p.panic.Error(), Stack: string(p.panic.Stack)})
	if err == nil {
		err = l.replayAll(ctx, "a fact of another call could not be understood")
	}
	if err != nil {
		return err
	}
	if l.opt.Saw != nil {
		l.opt.Saw(record.Event{At: p.fact.At, Kind: record.Gapped, Source: record.SourceClock, Value: "a fact could not be understood"})
	}
	if l.opt.Resync != nil {
		l.opt.Resync()
	}
	return nil
}

// shunned tells whether a fact is about a channel whose facts panic again and
// again: they would stop everything else.
func (l *Loop) shunned(e record.Event) bool {
	if len(l.panics) == 0 {
		return false
	}
	over := l.panics[e.Channel.ID] >= shunAfter || l.panics[e.Peer.ID] >= shunAfter
	if e.Kind == record.HungUp {
		delete(l.panics, e.Channel.ID)
	}
	return over
}
