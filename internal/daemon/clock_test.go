package daemon_test

import (
	"testing"
	"time"

	"github.com/voipd/voipd/record"
)

// TestClockSet: the PBX's clock is set in the middle of a talk. The record has
// the length of the talk, and health says that the clocks differ.
func TestClockSet(t *testing.T) {
	for _, by := range []time.Duration{time.Hour, -time.Hour} {
		t.Run(by.String(), func(t *testing.T) {
			t.Parallel()
			o := newOfficeAt(t, 1)
			o.start()
			call := o.captured("in-answered")
			o.until(record.CallAnswered)
			o.pbx.SetClock(by)
			r := o.until(record.CallEnded).Record
			if r.CallID != call.IDs()[0] || r.Duration < 3 || r.Duration > 5 || len(r.Details.Approximate) > 0 {
				t.Errorf("got %d s, want 4; approximate: %v", r.Duration, r.Details.Approximate)
			}
			if d := r.Details.EndedAt.Sub(r.Details.StartedAt); d < 4*time.Second || d > 8*time.Second {
				t.Errorf("the call took %v", d)
			}
			w, _ := o.health("up")["warnings"].([]any)
			if len(w) != 1 || w[0].(map[string]any)["code"] != "pbx-clock" {
				t.Errorf("health warns of %v", w)
			}
			if err := o.stop(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestClockApart: the PBX's clock is an hour off all the time, and the link is
// cut in the middle of a talk: the list of channels, which has no time of the
// PBX's, does not make the talk longer or shorter.
func TestClockApart(t *testing.T) {
	for _, by := range []time.Duration{time.Hour, -time.Hour} {
		t.Run(by.String(), func(t *testing.T) {
			t.Parallel()
			o := newOfficeAt(t, 1)
			o.pbx.SetClock(by)
			o.start()
			o.captured("in-answered")
			o.until(record.CallAnswered)
			o.pbx.Cut()
			r := o.until(record.CallEnded).Record
			if r.Duration < 3 || r.Duration > 5 {
				t.Errorf("got %d s, want 4: %+v", r.Duration, r)
			}
			if err := o.stop(); err != nil {
				t.Error(err)
			}
		})
	}
}
