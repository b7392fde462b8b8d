package sim

import (
	"strings"
	"testing"
	"time"

	"github.com/voipd/voipd/ami"
	"github.com/voipd/voipd/internal/link"
)

// TestFaults breaks the link in every way there is and sees the real client through it.
func TestFaults(t *testing.T) {
	tests := []struct {
		name string
		harm func(*PBX)
		says string // in the reason of the Down that follows; none follows if empty
		mend func(*PBX)
	}{
		{"cut", (*PBX).Cut, "", nil},
		{"half-open", (*PBX).Hang, "half-open", nil},
		{"away", func(p *PBX) { p.Away(true) }, "read greeting", func(p *PBX) { p.Away(false) }},
		{"logins refused", func(p *PBX) { p.RefuseLogins(true); p.Cut() }, "Authentication failed", func(p *PBX) { p.RefuseLogins(false) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := run(t, Options{})
			states := connect(t, p, nil)
			until(t, states, link.Up, "")
			tt.harm(p)
			until(t, states, link.Down, tt.says)
			if tt.mend != nil {
				tt.mend(p)
			}
			until(t, states, link.Up, "")
		})
	}
}

func TestGarbageAndSlowness(t *testing.T) {
	p := run(t, Options{Speed: 1000})
	heard := make(chan string, 10000)
	states := connect(t, p, func(m *ami.Message, _ time.Time) { heard <- string(m.Event()) })
	until(t, states, link.Up, "")
	p.Garble("\x00\xff\r\n\r\n" + strings.Repeat("y", 70_000) + "\r\n\r\n")
	p.SlowDown(Slow{Piece: 100})
	<-p.Play(morning(t, "in-cancel"), 0).Done()
	p.Emit("Event: End", "Privilege: call,all")
	for event := range heard {
		if event == "End" {
			break
		}
	}
}

func connect(t *testing.T, p *PBX, handle func(*ami.Message, time.Time)) <-chan ami.Status {
	states := make(chan ami.Status, 1000)
	if handle == nil {
		handle = func(*ami.Message, time.Time) {}
	}
	client, err := ami.NewClient(ami.Options{
		Address: p.Addr(), Username: "voipd", Secret: func() string { return "voipd" }, Handle: handle,
		PingEvery: 50 * time.Millisecond, Deadline: time.Second, NeverPlain: true,
		Backoff: link.Backoff{First: time.Millisecond, Max: 5 * time.Millisecond, Refused: 5 * time.Millisecond},
		OnState: func(s ami.Status) { states <- s },
	})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- client.Run(t.Context()) }()
	t.Cleanup(func() { <-ended }) // the test's context has ended by then
	return states
}

func until(t *testing.T, states <-chan ami.Status, want link.State, says string) {
	t.Helper()
	for {
		select {
		case s := <-states:
			if s.State == want && strings.Contains(s.Reason, says) {
				return
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("never %s with %q", want, says)
		}
	}
}
