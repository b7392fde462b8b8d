package sim

import (
	"embed"
	"fmt"
	"time"
)

//go:embed morning
var morningFiles embed.FS

// Scheduled is one call of an office's morning.
type Scheduled struct {
	At      time.Duration // from the beginning, in the PBX's time
	Capture *Capture
}

// Morning is a morning of a small office, squeezed so that something happens all the time: calls of each direction and
// outcome, up to five at once. It lasts 50 seconds of the PBX's time.
func Morning() ([]Scheduled, error) {
	var all []Scheduled
	for _, s := range []struct {
		at   int // seconds
		name string
	}{
		{1, "in-answered"}, {2, "int-answered"}, {4, "out-answered"}, {6, "in-cancel"}, {9, "ivr-101"},
		{11, "out-busy"}, {13, "queue-second-agent"}, {15, "in-voicemail"}, {18, "in-utf8-name"}, {20, "click-answered"},
		{22, "in-ringgroup"}, {25, "queue-abandoned"}, {27, "in-noanswer"}, {29, "xfer-attended"}, {31, "out-9-prefix"},
		{33, "int-answered"}, {36, "in-answered"}, {38, "out-answered"}, {40, "in-ringgroup"}, {43, "in-answered"},
	} {
		c, err := Load(morningFiles, "morning/"+s.name)
		if err != nil {
			return nil, fmt.Errorf("morning: %w", err)
		}
		all = append(all, Scheduled{At: time.Duration(s.at) * time.Second, Capture: c})
	}
	return all, nil
}

// PlayAll plays a schedule. The channel is closed when all of it is over.
func (p *PBX) PlayAll(all []Scheduled) <-chan struct{} {
	var playing []*Playing
	for _, s := range all {
		playing = append(playing, p.Play(s.Capture, s.At))
	}
	done := make(chan struct{})
	wait := func() {
		defer close(done)
		for _, each := range playing {
			<-each.Done()
		}
	}
	if !p.spawn(wait) {
		close(done)
	}
	return done
}
