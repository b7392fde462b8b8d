package capture_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/voipd/voipd/ami"
	"github.com/voipd/voipd/internal/capture"
	"github.com/voipd/voipd/internal/link"
	"github.com/voipd/voipd/internal/sim"
)

// TestRecordedStreamReplays: what Record writes, Events reads: the call that
// the PBX played, with its times.
func TestRecordedStreamReplays(t *testing.T) {
	pbx, err := sim.New(sim.Options{Speed: 20, NoTimestamps: true})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	served := make(chan struct{})
	go func() { defer close(served); _ = pbx.Run(ctx) }()
	path := filepath.Join(t.TempDir(), "office.txt")
	up := make(chan struct{}, 1)
	opt := ami.Options{Address: pbx.Addr(), Username: "voipd", Secret: func() string { return "voipd" }, Log: slog.New(slog.DiscardHandler), OnState: func(s ami.Status) {
		if s.State == link.Up {
			up <- struct{}{}
		}
	}}
	done := make(chan error, 1)
	go func() { _, err := capture.Record(ctx, opt, path); done <- err }()
	<-up
	call, err := sim.Load(os.DirFS("../sim/morning"), "int-answered")
	if err != nil {
		t.Fatal(err)
	}
	playing := pbx.Play(call, 0)
	<-playing.Done()
	for deadline := time.Now().Add(20 * time.Second); ; { // until the last event is in the file
		if records, _ := replay(t, path); len(records) == 1 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the call's end does not come into the file")
		}
	}
	pbx.Close()
	<-served
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	records, stats := replay(t, path)
	if len(records) != 1 || records[0].CallID != playing.IDs()[0] || records[0].SrcPhone != "101" || records[0].DstPhone != "102" || stats.Timeless {
		t.Errorf("got %+v, %+v", records, stats)
	}
}

// TestRecordRefuses: an existing file is not written over, and the name must
// leave room for the index.
func TestRecordRefuses(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "old.txt"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"old.txt": "exists", "new.bin": "must end in .txt", "none/new.txt": "no such file"} {
		_, err := capture.Record(context.Background(), ami.Options{Address: "127.0.0.1:1", Username: "x"}, filepath.Join(dir, name))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", name, err, want)
		}
	}
}

// TestBadCaptures: what cannot be read is told; what can is.
func TestBadCaptures(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	bad := write("bad.txt", "Event: Hangup\r\n\r\n")
	write("bad.idx", "yesterday 0\n")
	for path, want := range map[string]string{bad: "bad.idx:1", filepath.Join(dir, "none.txt"): "no such file", write("x.txt.gz", "not gzip"): "unpack"} {
		if _, err := capture.Events(path, nil, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", path, err, want)
		}
	}
	records, stats := replay(t, write("junk.txt", "\x00\xff junk\r\n\r\nEvent: Newchannel\r\nUniqueid: 1795366192.1\r\nLinkedid: 1795366192.1\r\nChannel: PJSIP/101-01\r\nChannelState: 4\r\nExten: 102\r\n\r\n"+
		strings.Repeat("x", 100_000)+"\r\n\r\nEvent: Hangup\r\nUniqueid: 1795366192.1\r\nCause: 16\r\n\r\nEvent: Hang"))
	if len(records) != 1 || stats.Malformed == 0 {
		t.Errorf("a capture with junk in it gives %+v, %+v", records, stats)
	}
}
