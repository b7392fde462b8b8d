package torture

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/ingest"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

const (
	loadCalls = 200    // new calls a second
	loadOpen  = 20_000 // open calls beside them
)

// TestLoad puts the facts of 200 new calls a second, a fact of one call an
// hour old among 20,000 open ones, through the loop and onto the disk, and
// tells how late they are there and how much memory that takes. It asserts that
// nothing is refused; the rest is for people to read. It runs only when asked
// for, by "make load".
func TestLoad(t *testing.T) {
	length := option[time.Duration]("load")
	if length == 0 {
		t.Skip("a measurement: make load runs it")
	}
	db, err := store.Open(context.Background(), filepath.Join(t.TempDir(), "voipd.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var late []time.Duration
	l := ingest.New(ingest.Options{Rules: rules(), Store: db, Log: slog.New(slog.DiscardHandler), Publish: func(all []record.Change) {
		for _, c := range all {
			if c.Kind == record.CallEnded {
				late = append(late, time.Since(c.At))
			}
		}
	}})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	for i := range loadOpen {
		l.Put(opened(i, time.Now().UTC()))
		awaitRoom(l)
	}
	awaitEmpty(l)
	fmt.Printf("load: %d open calls: %s resident\n", l.Stats().OpenCalls, resident(t))
	calls := place(t, l, length)
	awaitEmpty(l)
	s := l.Stats()
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	slices.Sort(late)
	if s.Refused != 0 || s.OpenCalls != loadOpen || len(late) != calls {
		t.Errorf("%d facts refused, %d calls open, %d of %d calls ended", s.Refused, s.OpenCalls, len(late), calls)
	}
	fmt.Printf("load: %d calls in %v beside %d open ones: %d facts, 0 refused; from the hangup to the disk %v p50, %v p99\n",
		calls, length, loadOpen, s.Applied, late[len(late)/2].Round(time.Millisecond), late[len(late)*99/100].Round(time.Millisecond))
}

// place puts calls, evenly, and gives how many they were.
func place(t *testing.T, l *ingest.Loop, length time.Duration) int {
	begin, told := time.Now(), 0
	tick := time.NewTicker(time.Second / loadCalls)
	defer tick.Stop()
	n := 0
	for ; time.Since(begin) < length; <-tick.C {
		for n < int(time.Since(begin).Seconds()*loadCalls) {
			for _, e := range answered(loadOpen+n, time.Now().UTC()) {
				l.Put(e)
			}
			n++
		}
		if passed := int(4 * time.Since(begin) / length); passed > told {
			told = passed
			fmt.Printf("load: after %v: %s resident, %d facts wait\n", time.Since(begin).Round(time.Second), resident(t), l.Stats().Waiting)
		}
	}
	return n
}

func opened(i int, at time.Time) record.Event {
	c := record.Channel{ID: fmt.Sprintf("1795384451.%d", 10*i), Linked: fmt.Sprintf("1795384451.%d", 10*i), Name: fmt.Sprintf("PJSIP/trunk-a-%08x", 2*i)}
	return record.Event{At: at, Kind: record.Created, Source: record.SourceAMI, Channel: c, State: record.Ring, Number: fmt.Sprintf("7903%07d", i),
		Context: "from-trunk", Exten: "74951234567"}
}

// answered is a whole call: an operator is rung, answers, talks and hangs up.
func answered(i int, at time.Time) []record.Event {
	first := opened(i, at)
	caller := first.Channel
	phone := record.Channel{ID: fmt.Sprintf("1795384451.%d", 10*i+1), Linked: caller.ID, Name: fmt.Sprintf("PJSIP/101-%08x", 2*i+1)}
	about := func(kind record.Kind, who record.Channel) record.Event {
		return record.Event{At: at, Kind: kind, Source: record.SourceAMI, Channel: who, State: record.Up, Bridge: caller.ID}
	}
	rung := record.Event{At: at, Kind: record.Created, Source: record.SourceAMI, Channel: phone, State: record.Down, Exten: "101"}
	dial := record.Event{At: at, Kind: record.DialStarted, Source: record.SourceAMI, Channel: caller, Peer: phone, Value: "PJSIP/101"}
	end := dial
	end.Kind, end.Value = record.DialEnded, "ANSWER"
	return []record.Event{first, rung, dial, end, about(record.StateChanged, phone), about(record.StateChanged, caller), about(record.BridgeEntered, caller),
		about(record.BridgeEntered, phone), about(record.BridgeLeft, phone), about(record.BridgeLeft, caller), about(record.HungUp, phone), about(record.HungUp, caller)}
}

func awaitRoom(l *ingest.Loop) {
	for s := l.Stats(); s.Waiting > s.Bound/2; s = l.Stats() {
		<-time.After(time.Millisecond)
	}
}

func awaitEmpty(l *ingest.Loop) {
	for applied := int64(-1); ; <-time.After(100 * time.Millisecond) {
		s := l.Stats()
		if s.Waiting == 0 && s.Applied == applied {
			return
		}
		applied = s.Applied
	}
}

// resident is the process's memory.
func resident(t *testing.T) string {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "VmRSS:")
	line, _, _ := strings.Cut(rest, "\n")
	return strings.TrimSpace(line)
}
