package doctor_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/voipd/voipd/ami"
	"github.com/voipd/voipd/internal/doctor"
	"github.com/voipd/voipd/internal/numbers"
	"github.com/voipd/voipd/internal/sim"
)

func examine(t *testing.T, opt sim.Options, change func(*doctor.Subject)) (string, error) {
	t.Helper()
	pbx, err := sim.New(opt)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan struct{})
	go func() { defer close(served); _ = pbx.Run(ctx) }()
	defer func() { cancel(); pbx.Close(); <-served }()
	s := doctor.Subject{Options: ami.Options{Address: pbx.Addr(), Username: "voipd", Secret: func() string { return "voipd" }}, Rules: numbers.Default(), Wait: 5 * time.Second, Listen: time.Millisecond}
	if change != nil {
		change(&s)
	}
	call, err := sim.Load(os.DirFS("../sim/morning"), "in-answered")
	if err != nil {
		t.Fatal(err)
	}
	pbx.Play(call, 200*time.Millisecond)
	report, err := doctor.Examine(ctx, s)
	if err != nil {
		return "", err
	}
	var out bytes.Buffer
	if err := report.Print(&out); err != nil {
		t.Fatal(err)
	}
	return out.String(), nil
}

// TestConverters: what converts recordings is told, what is missing has a line.
func TestConverters(t *testing.T) {
	for _, c := range []struct {
		found []string
		err   error
		want  string
	}{
		{[]string{"/usr/bin/ffmpeg", "/usr/bin/sox"}, nil, "converted by /usr/bin/ffmpeg and /usr/bin/sox.\n\nNothing is missing."},
		{nil, nil, "apt-get install ffmpeg"},
		{[]string{"/usr/bin/sox"}, errors.New("ask /usr/bin/ffmpeg: exit status 1"), "! a converter of recordings does not work: ask /usr/bin/ffmpeg: exit status 1"},
	} {
		var r doctor.Report
		var out bytes.Buffer
		r.Converters(c.found, c.err)
		if err := r.Print(&out); err != nil || !strings.Contains(out.String(), c.want) {
			t.Errorf("%q is not in\n%s (%v)", c.want, out.String(), err)
		}
	}
}

// ownPatterns: the admin says himself what an extension is.
func ownPatterns(s *doctor.Subject) { s.Rules.Guessed = false }

// TestFindings: each thing that is missing is told with the line to put where.
func TestFindings(t *testing.T) {
	for name, c := range map[string]struct {
		opt    sim.Options
		change func(*doctor.Subject)
		want   []string
	}{
		"no times":     {sim.Options{NoTimestamps: true}, func(s *doctor.Subject) { s.Listen = 5 * time.Second }, []string{"timestampevents = yes in [general] of manager.conf"}},
		"clocks apart": {sim.Options{Begin: time.Now().Add(-time.Hour)}, func(s *doctor.Subject) { s.Listen = 5 * time.Second }, []string{"the PBX's clock is 1h0m", "behind this machine's", "timedatectl set-ntp"}},
		"no system":    {sim.Options{Read: "call"}, nil, []string{"read = …,system"}},
		"no snapshot":  {sim.Options{Write: "call"}, nil, []string{"write = reporting"}},
		"no endpoints": {sim.Options{}, nil, []string{"the PBX listed no endpoint"}},
		"a trunk held for a phone": {sim.Options{Endpoints: []sim.Endpoint{{Name: "1000", OutboundAuth: "x", Context: "from-trunk"}}}, ownPatterns,
			[]string{"PJSIP/1000 is held for extension 1000, but the PBX logs in there", "trunks = ['^PJSIP/1000$']"}},
		"a phone held for a trunk": {sim.Options{Endpoints: []sim.Endpoint{{Name: "alice", Auths: "x"}}}, func(s *doctor.Subject) {
			s.Rules.Trunks = []*regexp.Regexp{regexp.MustCompile("alice")}
		}, []string{"PJSIP/alice is held for a trunk, but it logs in to the PBX"}},
		"nothing tells":    {sim.Options{Endpoints: []sim.Endpoint{{Name: "door"}}}, nil, []string{"PJSIP/door is held for a trunk because nothing tells what it is"}},
		"told by the PBX":  {sim.Options{Endpoints: []sim.Endpoint{{Name: "alice", Auths: "x", Context: "from-internal", CallerID: "Alice <105>"}}}, nil, []string{"extension 105", "it logs in to the PBX, as a phone does", "from-internal  1           0"}},
		"a mixed context":  {sim.Options{Endpoints: []sim.Endpoint{{Name: "101", Auths: "x", Context: "default"}, {Name: "gate", OutboundAuth: "x", Context: "default"}}}, nil, []string{"the context default has both phones (1) and trunks (1)"}},
		"CEL is not asked": {sim.Options{}, nil, []string{"Whether CEL is on could not be asked"}},
		"no folder":        {sim.Options{}, func(s *doctor.Subject) { s.Directories = []string{"/nonexistent"} }, []string{"recordings in /nonexistent cannot be served", "SupplementaryGroups=asterisk"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := examine(t, c.opt, c.change)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range c.want {
				if !strings.Contains(got, want) {
					t.Errorf("%q is not in\n%s", want, got)
				}
			}
		})
	}
	if _, err := examine(t, sim.Options{Version: "1.3"}, nil); err == nil || !strings.Contains(err.Error(), "voipd needs Asterisk 12 or newer") {
		t.Errorf("a PBX of old: %v", err)
	}
	if _, err := examine(t, sim.Options{Secret: "other"}, nil); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("a wrong secret: %v", err)
	}
}
