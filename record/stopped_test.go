package record_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/voipd/voipd/internal/capture"
	"github.com/voipd/voipd/record"
)

// cards are what a program shows that goes by PhoneRang and PhoneStopped alone.
type cards struct {
	t    *testing.T
	m    *record.Machine
	open map[string][]string // by call: phones with a card
	told map[string][]string // by call: each phone that stopped, and how
}

func (c *cards) take(change record.Change) {
	id, phone := change.CallID, change.Phone
	switch change.Kind {
	case record.PhoneRang:
		if !slices.Contains(c.open[id], phone) {
			c.open[id] = append(c.open[id], phone)
		}
	case record.PhoneStopped:
		i := slices.Index(c.open[id], phone)
		if i < 0 {
			c.t.Errorf("call %s: %s stops ringing, and has no card", id, phone)
			return
		}
		c.open[id] = slices.Delete(c.open[id], i, i+1)
		c.told[id] = append(c.told[id], phone+" "+change.Outcome)
		if l, ok := c.m.OpenLive(id); ok && (slices.Contains(l.Ringing, phone) || slices.Contains(l.Talking, phone)) {
			c.t.Errorf("call %s: %s has stopped ringing, but rings %v or talks %v", id, phone, l.Ringing, l.Talking)
		}
	case record.CallMerged:
		if change.Record != nil { // its cards end with its record
			c.ended(change.Record)
			break
		}
		c.open[change.Other] = append(c.open[change.Other], c.open[id]...)
		c.told[change.Other] = append(c.told[change.Other], c.told[id]...)
		delete(c.open, id)
		delete(c.told, id)
	case record.CallEnded:
		c.ended(change.Record)
	}
}

// ended compares what was told live with what the record says.
func (c *cards) ended(r *record.Record) {
	answered := map[string]bool{}
	var rang []string
	for _, x := range r.Details.Rang {
		rang = append(rang, x.Phone+" "+x.Outcome)
		answered[x.Phone] = answered[x.Phone] || x.Outcome == "answered"
	}
	for _, phone := range c.open[r.CallID] {
		if !answered[phone] {
			c.t.Errorf("call %s: the card of %s stays open; rang: %v", r.CallID, phone, rang)
		}
	}
	for _, told := range c.told[r.CallID] {
		if !slices.Contains(rang, told) {
			c.t.Errorf("call %s: told live: %s; the record: %v", r.CallID, told, rang)
		}
	}
}

// TestEveryRingStops: of the captured calls, each phone that is told to ring
// answers or is told to have stopped, once, with the outcome that the record has.
func TestEveryRingStops(t *testing.T) {
	files, err := filepath.Glob("testdata/captures/*/*/a*.gz")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	stops := 0
	for _, file := range files {
		t.Run(strings.TrimPrefix(file, "testdata/captures/"), func(t *testing.T) {
			c := &cards{t, record.New(officeRules()), map[string][]string{}, map[string][]string{}}
			_, err := capture.Events(file, nil, func(e record.Event) {
				for _, change := range c.m.Apply(nil, e) {
					c.take(change)
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			for _, told := range c.told {
				stops += len(told)
			}
		})
	}
	if stops < len(files)/4 {
		t.Errorf("%d phones stopped in %d captures", stops, len(files))
	}
}

// TestStopped: who is told to have stopped ringing, when, and how.
func TestStopped(t *testing.T) {
	in, desk, mobile, colleague := ch(1, 1, "provider"), ch(2, 1, "101"), ch(3, 1, "101"), ch(4, 1, "102")
	for name, c := range map[string]struct {
		story func(*story)
		want  []string
	}{
		"the caller gives up": {func(s *story) {
			s.dials(in, desk, "", "101")
			s.wait(3 * time.Second)
			s.add(record.Event{Kind: record.HangupRequested, Channel: in, Cause: 127})
			s.dialEnds(in, desk, "CANCEL")
			s.gone(127, desk, in)
		}, []string{"rang 101", "stopped 101 cancelled", "ended"}},
		"a colleague is quicker": {func(s *story) {
			s.dials(in, desk, "", "101")
			s.dials(in, colleague, "", "102")
			s.up(colleague)
			s.dialEnds(in, colleague, "ANSWER")
			s.dialEnds(in, desk, "CANCEL")
			s.gone(26, desk)
			s.up(in)
			s.bridge("b", in, colleague)
			s.leave("b", in)
			s.gone(16, colleague, in)
		}, []string{"rang 101", "rang 102", "stopped 101 elsewhere", "answered 102", "ended"}},
		"his other phone is quicker": {func(s *story) {
			s.dials(in, desk, "", "101")
			s.dials(in, mobile, "", "101")
			s.up(mobile)
			s.dialEnds(in, mobile, "ANSWER")
			s.dialEnds(in, desk, "CANCEL")
			s.gone(26, desk)
			s.up(in)
			s.bridge("b", in, mobile)
			s.leave("b", in)
			s.gone(16, mobile, in)
		}, []string{"rang 101", "rang 101", "answered 101", "ended"}},
		"both of his phones ring out": {func(s *story) {
			s.dials(in, desk, "", "101")
			s.dials(in, mobile, "", "101")
			s.dialEnds(in, desk, "NOANSWER")
			s.gone(16, desk)
			s.dialEnds(in, mobile, "NOANSWER")
			s.gone(16, mobile, in)
		}, []string{"rang 101", "rang 101", "stopped 101 no_answer", "ended"}},
		"busy, then a colleague": {func(s *story) {
			s.dials(in, desk, "", "101")
			s.dialEnds(in, desk, "BUSY")
			s.gone(17, desk)
			s.dials(in, colleague, "", "102")
			s.dialEnds(in, colleague, "CHANUNAVAIL")
			s.gone(20, colleague, in)
		}, []string{"rang 101", "stopped 101 busy", "rang 102", "stopped 102 failed", "ended"}},
		"no DialEnd comes": {func(s *story) {
			s.dials(in, desk, "", "101")
			s.gone(19, desk, in)
		}, []string{"rang 101", "stopped 101 no_answer", "ended"}},
	} {
		t.Run(name, func(t *testing.T) {
			m, got := record.New(officeRules()), []string(nil)
			for _, e := range tell(func(s *story) { s.calls(in, "79030000051", "74951110020"); c.story(s) }) {
				for _, change := range m.Apply(nil, e) {
					switch change.Kind {
					case record.PhoneRang, record.CallAnswered, record.PhoneStopped, record.CallEnded:
						got = append(got, strings.TrimRight(fmt.Sprint(change.Kind, " ", change.Phone, " ", change.Outcome), " "))
					}
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
