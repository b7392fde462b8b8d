package record_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/voipd/voipd/ami"
	"github.com/voipd/voipd/record"
)

// stream is every capture of real calls, one after the other, as the bytes of
// one AMI session.
func stream(b *testing.B) []byte {
	b.Helper()
	files, err := filepath.Glob("testdata/captures/*/*/ami.txt.gz")
	if err != nil || len(files) == 0 {
		b.Fatalf("no captures: %v", err)
	}
	var all bytes.Buffer
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			b.Fatal(err)
		}
		z, err := gzip.NewReader(f)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(&all, z); err != nil {
			b.Fatal(err)
		}
		f.Close()
	}
	return all.Bytes()
}

// BenchmarkStreamToRecords is the whole way of a fact but for the disk: AMI
// bytes, messages, facts, Machine, records. An event is an AMI message,
// whether or not it matters to calls. Each pass is a fresh Machine.
func BenchmarkStreamToRecords(b *testing.B) {
	data := stream(b)
	translate, rules := ami.NewTranslator(), officeRules()
	src := bytes.NewReader(nil)
	var changes []record.Change
	messages, facts, records := 0, 0, 0
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		src.Reset(data)
		r, m := ami.NewReader(src, ami.Bounds{}), record.New(rules)
		at := time.Unix(1_795_366_192, 0).UTC()
		for {
			message, err := r.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				b.Fatal(err)
			}
			messages++
			at = at.Add(10 * time.Millisecond)
			e, ok := translate.Event(message, at)
			if !ok {
				continue
			}
			facts++
			changes = m.Apply(changes[:0], e)
			for i := range changes {
				if changes[i].Kind == record.CallEnded {
					records++
				}
			}
		}
	}
	if records == 0 {
		b.Fatal("no records came of the captures")
	}
	b.ReportMetric(float64(messages)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64(records)/b.Elapsed().Seconds(), "calls/s")
	b.ReportMetric(float64(facts)/float64(messages), "facts/event")
}

// openCalls is how many calls are held open at once to see what one takes.
const openCalls = 20_000

// BenchmarkOpenCalls says what a call that goes on takes in memory: an inbound
// call through a ring group of three, answered and talking.
func BenchmarkOpenCalls(b *testing.B) {
	var used uint64
	for b.Loop() {
		before := heap()
		m := record.New(officeRules())
		var changes []record.Change
		for i := range openCalls {
			for _, e := range ringGroupCall(i) {
				changes = m.Apply(changes[:0], e)
			}
		}
		if m.Open() != openCalls {
			b.Fatalf("%d calls are open, want %d", m.Open(), openCalls)
		}
		changes = nil
		used = heap() - before
		runtime.KeepAlive(m)
	}
	b.ReportMetric(float64(used)/openCalls, "B/call")
	b.ReportMetric(0, "ns/op") // a walk, not a speed
}

// heap is what is in use after a collection.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// ringGroupCall are the facts of a call from outside for which three phones
// ring, and one talks.
func ringGroupCall(n int) []record.Event {
	at := time.Unix(1_795_366_192, 0).UTC().Add(time.Duration(n) * time.Millisecond)
	id := func(leg int) string { return fmt.Sprintf("1795366192.%d", 10*n+leg) }
	caller := record.Channel{ID: id(0), Linked: id(0), Name: fmt.Sprintf("PJSIP/trunk-a-%08x", 10*n)}
	bridge := fmt.Sprintf("8d3b1f6c-0000-4000-8000-%012x", n)
	fact := func(kind record.Kind, ch record.Channel) record.Event {
		at = at.Add(time.Millisecond)
		return record.Event{At: at, Kind: kind, Source: record.SourceAMI, Channel: ch}
	}
	created := fact(record.Created, caller)
	created.State, created.Number, created.Context, created.Exten = record.Ring, fmt.Sprintf("7903%07d", n), "from-trunk", "74951234567"
	out := []record.Event{created}
	var phones []record.Channel
	for leg := 1; leg <= 3; leg++ {
		phone := record.Channel{ID: id(leg), Linked: id(0), Name: fmt.Sprintf("PJSIP/%d-%08x", 101+(n+leg)%99, 10*n+leg)}
		phones = append(phones, phone)
		dial := fact(record.DialStarted, caller)
		dial.Peer, dial.Value = phone, strconv.Itoa(101+(n+leg)%99)
		out = append(out, fact(record.Created, phone), dial)
	}
	for leg, phone := range phones {
		end := fact(record.DialEnded, caller)
		end.Peer, end.Value = phone, "CANCEL"
		if leg == 0 {
			end.Value = "ANSWER"
		}
		out = append(out, end)
	}
	for _, phone := range phones[1:] {
		out = append(out, fact(record.HungUp, phone))
	}
	for _, ch := range []record.Channel{caller, phones[0]} {
		enter := fact(record.BridgeEntered, ch)
		enter.Bridge = bridge
		out = append(out, enter)
	}
	return out
}

// BenchmarkAmongOpenCalls says what a fact costs that has to find its call among
// 20,000 open ones: a phone that may be the recall of an operator, and the answer to
// an originate of which nothing else is known.
func BenchmarkAmongOpenCalls(b *testing.B) {
	m := record.New(officeRules())
	var changes []record.Change
	for i := range openCalls {
		for _, e := range ringGroupCall(i) {
			changes = m.Apply(changes[:0], e)
		}
	}
	at := time.Unix(1_795_366_192, 0).UTC().Add(time.Hour)
	n := 0
	phone := func() record.Channel {
		n++
		id := fmt.Sprintf("1795369792.%d", n)
		return record.Channel{ID: id, Linked: id, Name: fmt.Sprintf("PJSIP/101-%08x", n)}
	}
	apply := func(kind record.Kind, ch record.Channel, change func(*record.Event)) {
		at = at.Add(time.Second)
		e := record.Event{At: at, Kind: kind, Source: record.SourceAMI, Channel: ch}
		change(&e)
		changes = m.Apply(changes[:0], e)
	}
	nothing := func(*record.Event) {}
	b.Run("a-phone-is-rung", func(b *testing.B) {
		for b.Loop() {
			ch := phone()
			apply(record.Created, ch, nothing)
			apply(record.HungUp, ch, nothing)
		}
	})
	b.Run("an-originate-is-answered", func(b *testing.B) {
		for b.Loop() {
			ch := phone()
			apply(record.Created, ch, nothing)
			apply(record.Originated, record.Channel{Name: "PJSIP/79031234567@trunk-a"}, func(e *record.Event) { e.Exten = "79031234567" })
			apply(record.HungUp, ch, nothing)
		}
	})
}
