package recording_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/recording"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

// wav is a WAV file of so many seconds of 8 kHz, 16 bit; said is the length in
// its header.
func wav(seconds float64, said int) []byte {
	sound := make([]byte, int(seconds*16000))
	if said < 0 {
		said = len(sound)
	}
	var b bytes.Buffer
	b.WriteString("RIFF")
	binary.Write(&b, binary.LittleEndian, uint32(36+said))
	b.WriteString("WAVEfmt ")
	binary.Write(&b, binary.LittleEndian, []uint32{16, 1<<16 | 1, 8000, 16000, 16<<16 | 2})
	b.WriteString("data")
	binary.Write(&b, binary.LittleEndian, uint32(said))
	b.Write(sound)
	return b.Bytes()
}

// coded is a second of a WAV file with this format tag, and the tag of the
// subformat that the extensible form has.
func coded(tag, sub uint16) []byte {
	const bytesPerSecond = 8000
	var b bytes.Buffer
	b.WriteString("RIFF")
	binary.Write(&b, binary.LittleEndian, uint32(60+bytesPerSecond))
	b.WriteString("WAVEfmt ")
	binary.Write(&b, binary.LittleEndian, []uint32{40, 1<<16 | uint32(tag), 8000, bytesPerSecond, 8<<16 | 1, 8<<16 | 22, 4, uint32(sub), 0x00100000, 0xAA000080, 0x719B3800})
	b.WriteString("data")
	binary.Write(&b, binary.LittleEndian, uint32(bytesPerSecond))
	b.Write(make([]byte, bytesPerSecond))
	return b.Bytes()
}

// ogg is the beginning of an Ogg file with this first packet.
func ogg(packet string) []byte {
	return append(append([]byte("OggS"), make([]byte, 24)...), packet...)
}

func write(t *testing.T, path string, data []byte) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestOpenServesOnlyRecordings: hostile names. Each has a reason, and none
// opens anything outside.
func TestOpenServesOnlyRecordings(t *testing.T) {
	top := t.TempDir()
	dir := filepath.Join(top, "monitor")
	write(t, dir+"/2026/11/22/call.wav", wav(1, -1))
	write(t, dir+"/.hidden/call.wav", wav(1, -1))
	outside := write(t, top+"/secret.wav", wav(1, -1))
	for _, link := range [][2]string{{outside, dir + "/link.wav"}, {top, dir + "/up"}, {dir + "/2026", dir + "/year"}} {
		if err := os.Symlink(link[0], link[1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(dir+"/pipe.wav", 0o600); err != nil {
		t.Fatal(err)
	}
	lib := recording.New([]recording.Directory{{Path: dir, AsteriskPath: "/var/spool/asterisk/monitor"}})
	const spool = "/var/spool/asterisk/monitor"
	for name, want := range map[string]error{
		spool + "/2026/11/22/call.wav":                nil,
		"2026/11/22/call.wav":                         nil,
		spool + "/2026/11/22/none.wav":                recording.ErrGone,
		spool + "/2026/11/22/call.wav/x":              recording.ErrGone,
		spool + "/2026":                               recording.ErrRefused,
		spool:                                         recording.ErrRefused,
		spool + "/":                                   recording.ErrRefused,
		"":                                            recording.ErrRefused,
		".":                                           recording.ErrRefused,
		outside:                                       recording.ErrRefused,
		"/etc/passwd":                                 recording.ErrRefused,
		"../secret.wav":                               recording.ErrRefused,
		spool + "/../secret.wav":                      recording.ErrRefused,
		spool + "/2026/../../secret.wav":              recording.ErrRefused,
		spool + "/link.wav":                           recording.ErrRefused,
		spool + "/up/secret.wav":                      recording.ErrRefused,
		spool + "/year/11/22/call.wav":                recording.ErrRefused,
		spool + "/.hidden/call.wav":                   recording.ErrRefused,
		spool + "/pipe.wav":                           recording.ErrRefused,
		spool + "//2026/11/22/call.wav":               recording.ErrRefused,
		spool + "-other/call.wav":                     recording.ErrRefused,
		spool + "/2026/11/22/call.wav\x00.txt":        recording.ErrRefused,
		spool + "/2026/11/22/ca\nll.wav":              recording.ErrRefused,
		spool + "/2026/11/22/\x1b[2Jcall.wav":         recording.ErrRefused,
		spool + `/2026\11\22\call.wav`:                recording.ErrRefused,
		spool + "/2026/11/22/\xffcall.wav":            recording.ErrRefused,
		"file://" + spool + "/2026/11/22/call.wav":    recording.ErrRefused,
		spool + "/" + strings.Repeat("a", 300):        syscall.ENAMETOOLONG,
		spool + "/2026/11/22/call.wav;rm -rf .wav":    recording.ErrGone,
		spool + "/2026/11/22/\u202egpj.wav":           recording.ErrRefused,
		spool + "/2026/11/22/%2e%2e/secret.wav":       recording.ErrGone,
		spool + "/2026/11/22/call.wav\r\nX-Header: 1": recording.ErrRefused,
	} {
		t.Run(url.PathEscape(name)[:min(60, len(url.PathEscape(name)))], func(t *testing.T) {
			f, err := lib.Open(name)
			if f.File != nil {
				f.Close()
			}
			if !errors.Is(err, want) || (want == nil) != (f.File != nil) {
				t.Errorf("got %v, want %v", err, want)
			}
		})
	}
}

func TestExamine(t *testing.T) {
	gsm := bytes.Repeat(append([]byte{0xD2}, make([]byte, 32)...), 50)
	for _, c := range []struct {
		name  string
		data  []byte
		want  recording.Audio
		audio bool
	}{
		{"a.wav", wav(4, -1), recording.Audio{Type: "audio/wav", Coding: recording.WAV, Plays: true, Length: 4 * time.Second, Whole: true}, true},
		{"a.wav", wav(0, -1), recording.Audio{Type: "audio/wav", Coding: recording.WAV, Plays: true, Empty: true, Whole: true}, true},
		{"growing.wav", wav(2, 0), recording.Audio{Type: "audio/wav", Coding: recording.WAV, Plays: true, Length: 2 * time.Second}, true},
		{"nothing.wav", nil, recording.Audio{Type: "audio/wav", Coding: recording.WAV, Plays: true, Empty: true, Whole: true}, true},
		{"a.gsm", gsm, recording.Audio{Type: "audio/x-gsm", Coding: recording.GSM, Length: time.Second, Whole: true}, true},
		{"a.gsm", nil, recording.Audio{Type: "audio/x-gsm", Coding: recording.GSM, Empty: true, Whole: true}, true},
		{"a.sln", make([]byte, 32000), recording.Audio{Type: "audio/l16; rate=8000", Coding: recording.SLN, Rate: 8000, Length: 2 * time.Second, Whole: true}, true},
		{"really-mp3.wav", append([]byte("ID3\x04"), make([]byte, 100)...), recording.Audio{Type: "audio/mpeg", Coding: recording.MP3, Plays: true, Whole: true}, true},
		{"a.sln44", make([]byte, 88200), recording.Audio{Type: "audio/l16; rate=44100", Coding: recording.SLN, Rate: 44100, Length: time.Second, Whole: true}, true},
		{"a.ogg", ogg("OpusHead"), recording.Audio{Type: "audio/ogg", Coding: recording.Opus, Plays: true, Whole: true}, true},
		{"a.ogg", ogg("\x01vorbis"), recording.Audio{Type: "audio/ogg", Coding: recording.Vorbis, Plays: true, Whole: true}, true},
		{"a.ogg", ogg("Speex   "), recording.Audio{Type: "audio/ogg", Coding: recording.Ogg, Whole: true}, true},
		{"a.ogg", []byte("OggS"), recording.Audio{Type: "audio/ogg", Coding: recording.Ogg, Whole: true}, true},
		{"gsm.WAV", coded(49, 0), recording.Audio{Type: "audio/wav", Coding: recording.WAV, Length: time.Second, Whole: true}, true},
		{"ulaw.wav", coded(7, 0), recording.Audio{Type: "audio/wav", Coding: recording.WAV, Length: time.Second, Whole: true}, true},
		{"float.wav", coded(3, 0), recording.Audio{Type: "audio/wav", Coding: recording.WAV, Plays: true, Length: time.Second, Whole: true}, true},
		{"extensible.wav", coded(0xFFFE, 1), recording.Audio{Type: "audio/wav", Coding: recording.WAV, Plays: true, Length: time.Second, Whole: true}, true},
		{"extensible-alaw.wav", coded(0xFFFE, 6), recording.Audio{Type: "audio/wav", Coding: recording.WAV, Length: time.Second, Whole: true}, true},
		{"passwd.gsm", []byte("root:x:0:0:root:/root:/bin/bash\n"), recording.Audio{}, false},
		{"page.wav", []byte("<html><script>alert(1)</script></html>"), recording.Audio{}, false},
		{"a.txt", []byte("hello"), recording.Audio{}, false},
		{"riff.avi", []byte("RIFF\x00\x00\x00\x00AVI LIST"), recording.Audio{}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := recording.Examine(c.name, bytes.NewReader(c.data), int64(len(c.data)))
			if got != c.want || (err == nil) != c.audio {
				t.Errorf("got %+v (%v), want %+v", got, err, c.want)
			}
		})
	}
}

// TestLinks: a link works until it expires, and no other text does.
func TestLinks(t *testing.T) {
	now := time.Unix(1_795_366_192, 500_000_000)
	s := recording.Signer{Key: []byte("0123456789abcdef0123456789abcdef"), Base: "http://pbx", TTL: time.Hour}
	link, expires := s.Link("pbx-1-17.1", "abc", now)
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	at, sig := u.Query().Get("expires"), u.Query().Get("signature")
	other := recording.Signer{Key: []byte("another key"), TTL: time.Hour}
	for _, c := range []struct {
		name                   string
		signer                 recording.Signer
		call, id, expires, sig string
		now                    time.Time
		want                   error
	}{
		{"good", s, "pbx-1-17.1", "abc", at, sig, now, nil},
		{"a second before the end", s, "pbx-1-17.1", "abc", at, sig, expires.Add(-time.Second), nil},
		{"at the end", s, "pbx-1-17.1", "abc", at, sig, expires, recording.ErrExpired},
		{"another call", s, "pbx-1-17.10", "abc", at, sig, now, recording.ErrSignature},
		{"another recording", s, "pbx-1-17.1", "abd", at, sig, now, recording.ErrSignature},
		{"parts moved", s, "pbx-1-17.1a", "bc", at, sig, now, recording.ErrSignature},
		{"longer life", s, "pbx-1-17.1", "abc", "9" + at, sig, now, recording.ErrSignature},
		{"no signature", s, "pbx-1-17.1", "abc", at, "", now, recording.ErrSignature},
		{"not hexadecimal", s, "pbx-1-17.1", "abc", at, "zz", now, recording.ErrSignature},
		{"half a signature", s, "pbx-1-17.1", "abc", at, sig[:32], now, recording.ErrSignature},
		{"no time", s, "pbx-1-17.1", "abc", "", sig, now, recording.ErrSignature},
		{"another key", other, "pbx-1-17.1", "abc", at, sig, now, recording.ErrSignature},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := c.signer.Check(c.call, c.id, c.expires, c.sig, c.now); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

// TestLinksOfSomebody: links of their own key need not expire, and are void when any
// part of it is another.
func TestLinksOfSomebody(t *testing.T) {
	now := time.Unix(1_795_366_192, 0)
	all := recording.Signer{Key: []byte("0123456789abcdef0123456789abcdef"), Base: "http://pbx", TTL: time.Hour}
	brix := all.Of("brix", recording.Never, []byte("key"), []byte("token"))
	link, expires := brix.Link("1.1", "abc", now)
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	if q.Get("by") != "brix" || q.Get("expires") != "never" || !expires.IsZero() {
		t.Errorf("the link %s expires at %v", link, expires)
	}
	for name, c := range map[string]struct {
		signer recording.Signer
		want   error
	}{
		"years later":   {brix, nil},
		"another key":   {all.Of("brix", recording.Never, []byte("new"), []byte("token")), recording.ErrSignature},
		"another token": {all.Of("brix", recording.Never, []byte("key"), []byte("new")), recording.ErrSignature},
		"everybody's":   {all, recording.ErrSignature},
	} {
		if err := c.signer.Check("1.1", "abc", q.Get("expires"), q.Get("signature"), now.AddDate(10, 0, 0)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestFileName(t *testing.T) {
	for in, want := range map[string]string{
		"/m/2026/in-101.wav":             "in-101.wav",
		"/m/a\"; filename=evil.html.wav": "a___filename_evil.html.wav",
		"/m/имя.wav":                     "___.wav",
		"/m/x\r\nSet-Cookie: a=b.wav":    "x__Set-Cookie__a_b.wav",
	} {
		if got := recording.FileName(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

type unfinished []store.RecordingFile

func (u unfinished) UnfinishedRecordings(_ context.Context, after store.RecordingFile, limit int) ([]store.RecordingFile, error) {
	from := slices.IndexFunc(u, func(r store.RecordingFile) bool { return r == after }) + 1
	return u[from:min(from+limit, len(u))], nil
}

// TestWatchMany: five hundred files that never come hold up no other: the newest
// recording is told a few rounds later.
func TestWatchMany(t *testing.T) {
	dir := t.TempDir()
	now := time.Unix(1_795_366_192, 0)
	var all unfinished
	for i := range 500 {
		all = append(all, store.RecordingFile{CallID: fmt.Sprint(i), ID: "r", Path: fmt.Sprintf("%s/%d.wav", dir, i), At: now.Add(-time.Hour)})
	}
	all = append(all, store.RecordingFile{CallID: "new", ID: "r", Path: dir + "/new.wav", At: now})
	write(t, dir+"/new.wav", wav(4, -1))
	var told []string
	w := &recording.Watch{
		Library: recording.New([]recording.Directory{{Path: dir}}), GiveUp: time.Hour, Now: func() time.Time { return now },
		Tell: func(e record.Event) { told = append(told, e.Value) }, Log: slog.New(slog.DiscardHandler), Store: all,
	}
	for range 6 { // twice through
		w.Round(t.Context())
		now = now.Add(time.Second)
	}
	if !slices.Equal(told, []string{"new"}) {
		t.Errorf("told of %q, want the new one", told)
	}
}

// TestWatch: a file is told when it has kept its size, not before; an empty
// one as empty, a missing one as gone after its time.
func TestWatch(t *testing.T) {
	dir := t.TempDir()
	now := time.Unix(1_795_366_192, 0)
	var told []record.FileFact
	w := &recording.Watch{
		Library: recording.New([]recording.Directory{{Path: dir}}), GiveUp: 10 * time.Minute, Now: func() time.Time { return now },
		Tell: func(e record.Event) { told = append(told, e.Recorded) }, Log: slog.New(slog.DiscardHandler),
		Store: unfinished{{CallID: "c", ID: "r", Path: dir + "/r.wav", At: now}},
	}
	step := func(what string, later time.Duration, want ...record.FileFact) {
		t.Helper()
		now, told = now.Add(later), nil
		w.Round(context.Background())
		if len(told) != len(want) || len(want) > 0 && told[0] != want[0] {
			t.Fatalf("%s: told %+v, want %+v", what, told, want)
		}
	}
	step("not there yet", 0)
	write(t, dir+"/r.wav", wav(1, 0))
	step("just begun", time.Second)
	step("header says nothing yet", 5*time.Second)
	write(t, dir+"/r.wav", wav(4, -1))
	step("just whole", time.Second)
	step("whole for a second", time.Second, record.FileFact{State: record.Ready, Bytes: 64044, Audio: 4 * time.Second})
	write(t, dir+"/r.wav", wav(0, -1))
	step("replaced by a header", time.Second)
	step("empty", time.Second, record.FileFact{State: record.Empty, Bytes: 44})
	if err := os.Remove(dir + "/r.wav"); err != nil {
		t.Fatal(err)
	}
	step("gone, perhaps being moved", time.Second)
	step("still gone", 9*time.Minute)
	step("given up", time.Minute, record.FileFact{State: record.Gone})
	write(t, dir+"/r.wav", wav(2, 0))
	step("begun, and then Asterisk is killed", time.Second)
	step("a bad header that stays", time.Minute, record.FileFact{State: record.Ready, Bytes: 32044, Audio: 2 * time.Second})
}

// TestFoundElsewhere: a recording that a script has converted or moved.
func TestFoundElsewhere(t *testing.T) {
	const name = "in-101-79031000001-20261122-101500-1795366192.3.wav"
	for where, want := range map[string]bool{
		"monitor/2026/11/22/" + name:                                              true,
		"monitor/2026/11/22/" + strings.TrimSuffix(name, "wav") + "mp3":           true,
		"archive/2026/11/22/" + name:                                              true,
		"archive/" + strings.TrimSuffix(name, "wav") + "mp3":                      true,
		"monitor/" + name:                                                         true,
		"monitor/2026/11/22/in-101-79031000001-20261122-101500-1795366192.30.wav": false, // another call's
		"monitor/2026/11/22/" + name + ".bak":                                     false,
		"elsewhere/" + name:                                                       false,
	} {
		t.Run(where, func(t *testing.T) {
			top := t.TempDir()
			write(t, filepath.Join(top, where), wav(1, -1))
			lib := recording.New([]recording.Directory{{Path: top + "/monitor", AsteriskPath: "/spool"}, {Path: top + "/archive"}})
			f, err := lib.Open("/spool/2026/11/22/" + name)
			if f.File != nil {
				f.Close()
			}
			if (err == nil) != want || err != nil && !errors.Is(err, recording.ErrGone) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestFilePanics: a file that makes voipd panic is gone.
func TestFilePanics(t *testing.T) {
	dir := t.TempDir()
	now := time.Unix(1_795_366_192, 0)
	told := map[string]record.RecordingState{}
	w := &recording.Watch{
		Library: nil, GiveUp: time.Minute, Now: func() time.Time { return now },
		Tell: func(e record.Event) { told[e.Value] = e.Recorded.State }, Log: slog.New(slog.DiscardHandler),
		Store: unfinished{{CallID: "bad", ID: "r", Path: dir + "/bad.wav", At: now}},
	}
	w.Round(t.Context()) // there is no library: looking for the file panics
	if told["bad"] != record.Gone {
		t.Errorf("told %v", told)
	}
}
