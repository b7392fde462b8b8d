//go:build lab

package lab

import (
	"context"
	"fmt"
	"testing"
	"time"
)

// interruption is something that goes wrong while people talk.
type interruption struct {
	name    string
	happens func(context.Context, *run) error // two seconds into a talk of six
	after   func(context.Context, *run) error // when the call is over
	want    *Want
}

// TestInterruptions lets voipd and its link to the PBX fail in the middle of
// a call. The call must leave one record all the same, and the right one as
// far as anybody could see it.
func TestInterruptions(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	if *captureFlag != "" || *morningFlag != "" || *onlyFlag != "" {
		t.Skip("only scenarios are asked for")
	}
	nothing := func(context.Context, *run) error { return nil }
	restart := func(ctx context.Context, r *run) error { return r.daemon.Restart(ctx) }
	kill := func(_ context.Context, r *run) error { r.daemon.Kill(); return nil }
	r := openRun(ctx, t)
	r.startDaemons(ctx, t, "ami")
	passed := 0
	cases := []interruption{
		{name: "ami-cut", want: internal("103", "104", "answered", 6), after: nothing,
			happens: func(ctx context.Context, r *run) error { return r.office.CutAMI(ctx, voipdUser) }},
		{name: "stopped-and-started", want: internal("103", "104", "answered", 6), after: nothing,
			happens: func(ctx context.Context, r *run) error {
				if err := r.daemon.Stop(); err != nil {
					return err
				}
				return restart(ctx, r)
			}},
		{name: "killed-and-started", want: internal("103", "104", "answered", 6), after: nothing,
			happens: func(ctx context.Context, r *run) error { r.daemon.Kill(); return restart(ctx, r) }},
		// The end is seen by nobody: that they talked is known, for how long is not.
		{name: "killed-until-after", want: internal("103", "104", "answered", NotJudged).audio(NotJudged), happens: kill, after: restart},
	}
	if r.version.Name == "16" {
		fmt.Println("lab: Asterisk 16: left out: ami-cut (it has no CLI command that throws a manager session out)")
		cases = cases[1:]
	}
	for _, c := range cases {
		ok := t.Run(c.name, func(t *testing.T) { r.interrupt(ctx, t, c) })
		if ok {
			passed++
		}
	}
	fmt.Printf("lab: Asterisk %s: %d of %d interruptions in the middle of a call survived\n", r.version.Name, passed, len(cases))
}

// interrupt plays one call with the interruption in it.
func (r *run) interrupt(ctx context.Context, t *testing.T, c interruption) {
	s := Scenario{Name: c.name, Title: "103 talks to 104 for 6 s",
		Scripts: map[string]string{"104": "ring:1|answer|wait:20"},
		Calls:   []Call{{Phone: "103", Dial: "104", Script: "wait:6|hangup", Want: c.want}}}
	r.began, r.played = time.Now(), nil
	over := make(chan error, 1)
	go func() {
		p, err := r.office.Play(ctx, s)
		r.played = append(r.played, p)
		over <- err
	}()
	if err := pause(ctx, 3*time.Second); err != nil {
		t.Fatal(err)
	}
	if err := c.happens(ctx, r); err != nil {
		t.Error(err)
	}
	if err := <-over; err != nil {
		t.Fatal(err)
	}
	if err := c.after(ctx, r); err != nil {
		t.Fatal(err)
	}
	p := r.played[0]
	records, err := r.awaitRecords(ctx, r.daemon, map[string]bool{p.ids[0]: true})
	if err != nil {
		t.Fatal(err)
	}
	var mine, others []Record
	for _, rec := range records {
		if rec.CallID == p.ids[0] {
			mine = append(mine, rec)
		} else if r.office.watch.ownerOf(rec.CallID) == "" {
			others = append(others, rec)
		}
	}
	r.judge(ctx, p, 0, p.Calls[0], mine)
	if len(others) > 0 {
		t.Errorf("records of calls that nobody made: %s", describe(others))
	}
	for _, problem := range r.problems[c.name] {
		t.Error(problem)
	}
}
