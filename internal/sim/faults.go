package sim

import "time"

// Slow makes every write of the PBX one of small pieces.
type Slow struct {
	Piece int           // bytes; 0 is no slowness
	Pause time.Duration // after each
}

// Cut ends every connection, without a word.
func (p *PBX) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for s := range p.sessions {
		_ = s.conn.Close() // the session's own goroutines see it
	}
}

// Hang makes every present connection half-open: what comes is swallowed, and nothing is ever sent on it again. New
// connections are served.
func (p *PBX) Hang() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for s := range p.sessions {
		s.hung = true
	}
}

// Garble sends these bytes to everyone, as they are.
func (p *PBX) Garble(bytes string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for s := range p.sessions {
		s.send(bytes)
	}
}

// RefuseLogins makes every login fail from now on, or no longer.
func (p *PBX) RefuseLogins(refuse bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refusing = refuse
}

// Away cuts every connection and closes each new one at once, or ends that. Calls go on meanwhile.
func (p *PBX) Away(away bool) {
	p.mu.Lock()
	p.away = away
	p.mu.Unlock()
	if away {
		p.Cut()
	}
}

// SlowDown makes writes slow from now on; the zero Slow ends that.
func (p *PBX) SlowDown(s Slow) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.slow = s
}

func (p *PBX) slowness() Slow {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.slow
}

// Crash is Asterisk's end without a word: every channel is gone without a
// Hangup, and who was played then is played no further. Connections are cut;
// new ones come to an Asterisk that has just started.
func (p *PBX) Crash() {
	p.mu.Lock()
	close(p.life)
	p.life = make(chan struct{})
	clear(p.channels)
	p.mu.Unlock()
	p.Cut()
}

// SetClock sets the PBX's wall clock that far ahead of what it would be, or
// behind. Events and CEL rows say it from now on; what is played goes on at its
// pace.
func (p *PBX) SetClock(ahead time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ahead = ahead
}
