package ari_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/voipd/voipd/ari"
	"github.com/voipd/voipd/record"
)

// stream is every captured ARI event, one after the other as the PBX sent them.
func stream(tb testing.TB) [][]byte {
	tb.Helper()
	files, err := filepath.Glob("../record/testdata/captures/*/*/ari.jsonl.gz")
	if err != nil || len(files) == 0 {
		tb.Fatalf("no captures (%v)", err)
	}
	var all [][]byte
	for _, name := range files {
		all = append(all, captured(tb, name)...)
	}
	return all
}

// captured is the events of one capture.
func captured(tb testing.TB, name string) [][]byte {
	tb.Helper()
	file, err := os.Open(name)
	if err != nil {
		tb.Fatal(err)
	}
	defer file.Close()
	z, err := gzip.NewReader(file)
	if err != nil {
		tb.Fatal(err)
	}
	var all [][]byte
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		all = append(all, bytes.Clone(lines.Bytes()))
	}
	if err := lines.Err(); err != nil {
		tb.Fatal(err)
	}
	return all
}

// translate measures the translation of events, over and over.
func translate(b *testing.B, events [][]byte) {
	translator, now := ari.NewTranslator(), time.Now()
	bytes, facts, n := 0, []record.Event(nil), 0
	for _, text := range events {
		bytes += len(text)
	}
	b.SetBytes(int64(bytes))
	b.ReportAllocs()
	for b.Loop() {
		for _, text := range events {
			var err error
			if facts, err = translator.Events(facts[:0], text, now); err != nil {
				b.Fatal(err)
			}
		}
		n += len(events)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/event")
}

// BenchmarkStream is all that Asterisk sends, events to facts.
func BenchmarkStream(b *testing.B) { translate(b, stream(b)) }

// BenchmarkWanted is the events alone of which a fact is made.
func BenchmarkWanted(b *testing.B) {
	var wanted [][]byte
	translator := ari.NewTranslator()
	for _, text := range stream(b) {
		facts, err := translator.Events(nil, text, time.Now())
		if err != nil {
			b.Fatal(err)
		}
		if len(facts) > 0 {
			wanted = append(wanted, text)
		}
	}
	translate(b, wanted)
}
