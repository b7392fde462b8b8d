package ami

import (
	"bytes"
	"maps"
	"slices"
	"testing"
)

func sorted(files map[string][]byte) [][]byte {
	var all [][]byte
	for _, name := range slices.Sorted(maps.Keys(files)) {
		all = append(all, files[name])
	}
	return all
}

// run reads the captures over and over, as one endless stream read in pieces of the reader's buffer.
func run(b *testing.B, each func(*Message)) {
	data := bytes.Join(sorted(captures(b)), nil)
	src := bytes.NewReader(data)
	r := NewReader(src, Bounds{})
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	messages := 0
	for b.Loop() {
		src.Reset(data)
		r.err = nil
		for {
			m, err := r.Next()
			if err != nil {
				break
			}
			messages++
			each(m)
		}
	}
	b.ReportMetric(float64(messages)/b.Elapsed().Seconds(), "messages/s")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(messages), "ns/message")
}

// BenchmarkReader is bytes to messages, headers indexed, kind known.
func BenchmarkReader(b *testing.B) {
	events := 0
	run(b, func(m *Message) {
		if m.Event() != nil {
			events++
		}
	})
	if events == 0 {
		b.Fatal("no events")
	}
}

// BenchmarkReaderGet looks up six headers of every message besides, about as many as a translation does.
func BenchmarkReaderGet(b *testing.B) {
	n := 0
	run(b, func(m *Message) {
		n += len(m.Get("Uniqueid")) + len(m.Get("Linkedid")) + len(m.Get("Channel")) + len(m.Get("Timestamp")) +
			len(m.Get("ChannelState")) + len(m.Get("CallerIDNum"))
	})
	if n == 0 {
		b.Fatal("nothing found")
	}
}
