package sim

import (
	"strings"
	"sync/atomic"
	"time"
)

// Playing is a capture on its way.
type Playing struct {
	done  chan struct{}
	ids   []string
	told  atomic.Int64
	rows  atomic.Int64
	whole atomic.Bool
}

// Whole tells, when Done is closed, that the call came to its end: neither did
// Asterisk crash in it nor was the PBX closed.
func (p *Playing) Whole() bool { return p.whole.Load() }

// Told is how many events the PBX had for this play so far.
func (p *Playing) Told() int { return int(p.told.Load()) }

// Rows is how many CEL rows the PBX has written of this play so far.
func (p *Playing) Rows() int { return int(p.rows.Load()) }

// Done is closed after the last event, or when the PBX is closed.
func (p *Playing) Done() <-chan struct{} { return p.done }

// IDs are the unique ids of this play's channels, in the order of the capture.
func (p *Playing) IDs() []string { return p.ids }

// Play plays the capture, beginning when the given time of the PBX's has passed from now (at once if it is 0 or
// less). Each play is a new call.
func (p *PBX) Play(c *Capture, after time.Duration) *Playing {
	begin := p.Now().Add(max(after, 0))
	p.mu.Lock()
	rewrite, life := p.numbers.rewriting(c, begin.Add(p.ahead), p.opts.Monitor), p.life
	p.mu.Unlock()
	playing := &Playing{done: make(chan struct{})}
	for _, id := range c.ids {
		playing.ids = append(playing.ids, rewrite.Replace(id))
	}
	started := p.spawn(func() {
		defer close(playing.done)
		for _, e := range c.steps(p.opts.CEL != "") {
			if !p.until(begin.Add(e.after), life) {
				return
			}
			if e.row != nil {
				p.write(e.row, rewrite, begin.Add(e.after))
				playing.rows.Add(1)
				continue
			}
			if !p.emit(rewrite.Replace(e.raw), begin.Add(e.after), life) {
				return
			}
			playing.told.Add(1)
		}
		playing.whole.Store(true)
	})
	if !started {
		close(playing.done)
	}
	if p.opts.Monitor != "" {
		for _, r := range c.audio {
			p.spawn(func() {
				if err := p.record(c, r, rewrite, begin, life); err != nil {
					p.opts.Log.Error("fake PBX: recording", "capture", c.Name, "error", err)
				}
			})
		}
	}
	return playing
}

// until waits for a time of the PBX's; false when it is closed before, or that
// life of Asterisk's ends.
func (p *PBX) until(at time.Time, life <-chan struct{}) bool {
	wait := time.Duration(float64(at.Sub(p.Now())) / p.opts.Speed)
	if wait <= 0 {
		select {
		case <-p.closed:
			return false
		case <-life:
			return false
		default:
			return true
		}
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-p.closed:
		return false
	case <-life:
		return false
	case <-timer.C:
		return true
	}
}

// file is where the events of a play say that a recording is.
func (c *Capture) file(r recording, rewrite *strings.Replacer) string {
	for _, e := range c.events {
		if strings.Contains(e.raw, "Variable: MIXMONITOR_FILENAME") && strings.Contains(e.raw, r.base) {
			return rewrite.Replace(headerOf(e.raw, "Value"))
		}
	}
	return ""
}
