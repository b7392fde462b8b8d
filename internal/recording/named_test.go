package recording_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/recording"
	"github.com/voipd/voipd/record"
)

// began is when the calls of these tests began: 16:49:52 of the PBX's zone,
// whatever that is, in their recordings' names.
func began() time.Time { return time.Date(2026, 11, 22, 16, 49, 52, 0, time.UTC) }

// missed is a call of twenty seconds, with a conversation from its fifth to its
// fifteenth, as CEL tells it.
func missed(callID string) record.Record {
	return record.Record{CallID: callID, Details: record.Details{StartedAt: began(), EndedAt: began().Add(20 * time.Second), Source: "cel",
		Conversations: []record.Conversation{{A: "79031000001", B: "101", At: began().Add(5 * time.Second), MS: 10_000}}}}
}

// put writes a file that was written to last so long after the calls' beginning.
func put(t *testing.T, path string, data []byte, ended time.Duration) {
	t.Helper()
	write(t, path, data)
	if err := os.Chtimes(path, began().Add(ended), began().Add(ended)); err != nil {
		t.Fatal(err)
	}
}

// found are the paths of a record's recordings below dir.
func found(dir string, r *record.Record) string {
	var names []string
	for _, rec := range r.Details.Recordings {
		names = append(names, strings.TrimPrefix(rec.Path, dir+"/"))
	}
	return strings.Join(names, " ")
}

// TestFindByName: which names hold the id of a channel of the call, and where.
func TestFindByName(t *testing.T) {
	const id, long = "1795366192.23", "pbx-01-1795366192.23"
	for _, c := range []struct {
		id, file string
		is       bool
	}{
		{id, "2026/11/22/external-101-79031000001-20261122-164952-" + id + ".wav", true},
		{id, "2026/11/21/external-101-79031000001-20261121-234952-" + id + ".wav", true},
		{id, "2026/11/23/q-610-79031000001-20261123-014952-" + id + ".wav", true},
		{id, "2026/11/20/q-610-79031000001-20261120-164952-" + id + ".wav", false},
		{id, "2026/q-610-" + id + ".wav", false},
		{id, "2026/11/22/16/mikopbx-" + id + ".wav", true},
		{id, "2026/11/22/24/mikopbx-" + id + ".wav", false},
		{id, "2026/11/22/16/05/mikopbx-" + id + ".wav", false},
		{id, "16/mikopbx-" + id + ".wav", false},
		{id, "2026/11/22/" + id + ".wav", true},
		{id, id + ".wav", true},
		{id, id + ".gsm", true},
		{id, id, true}, // it is audio by its content
		{id, id + "-in.wav", true},
		{id, id + "_101.wav", true},
		{id, "20261122-164952-out-101-" + id + ".wav", true},
		{id, "rec_" + id + ".wav", true},
		{id, "rec " + id + " (2).wav", true},
		{id, "Ольга-" + id + ".wav", true},
		{id, id + "0.wav", false},
		{id, id + ".1.wav", false},
		{id, "1" + id + ".wav", false},
		{id, "1." + id + ".wav", false},
		{id, "x" + id + ".wav", false},
		{id, "Ж" + id + ".wav", false},
		{id, id + "x.wav", false},
		{id, "." + id + ".wav", false},
		{id, "q-\x1b[2J-" + id + ".wav", false},
		{id, "q-610-79031000001-20261122-164952-" + long + ".wav", false}, // another PBX's
		{long, "q-610-79031000001-20261122-164952-" + long + ".wav", true},
		{long, long + ".wav", true},
		{long, "q-610-79031000001-20261122-164952-" + id + ".wav", false},
		{"1795.1", "q-1795.1.wav", false}, // too short to mean anything
	} {
		dir := t.TempDir()
		lib := recording.New([]recording.Directory{{Path: dir}})
		put(t, filepath.Join(dir, c.file), wav(8, -1), 16*time.Second)
		if c.file == id+".gsm" {
			put(t, filepath.Join(dir, c.file), []byte(strings.Repeat("\xD8"+strings.Repeat("\x20", 32), 400)), 16*time.Second)
		}
		// The id is that of the call, of another channel, or of a call that went into it.
		for i, r := range []record.Record{missed(c.id), missed("1795366000.1"), missed("1795366000.1")} {
			var channels []string
			switch i {
			case 1:
				channels = []string{"1795366000.1", c.id}
			case 2:
				r.Details.Absorbed = []string{c.id}
			}
			want := ""
			if c.is {
				want = c.file
			}
			if err := lib.Find(t.Context(), []recording.Call{{Record: &r, IDs: channels}}); err != nil || found(dir, &r) != want {
				t.Errorf("%q of %q: found %q (%v), want %q", c.file, c.id, found(dir, &r), err, want)
			}
		}
	}
}

// TestFindsEachOnce: what was told of and what a script made of it is one
// recording, what is empty is none, and what holds the conversation says so.
func TestFindsEachOnce(t *testing.T) {
	const id, spool = "1795366192.23", "/var/spool/asterisk/monitor"
	name := "external-101-79031000001-20261122-164952-" + id
	announced := func(path string) record.Recording {
		return record.Recording{ID: record.RecordingID(path), Path: path, At: began().Add(2 * time.Second), State: record.Announced}
	}
	mp3 := append([]byte("ID3"), make([]byte, 4000)...)
	type file struct {
		name  string
		data  []byte
		ended time.Duration // after the call's beginning
	}
	for _, c := range []struct {
		what  string
		files []file
		had   []record.Recording
		want  string // path, moment, talk and who told, of each
	}{
		{"in the conversation, by its length", []file{{"2026/11/22/" + name + ".wav", wav(8, -1), 16 * time.Second}}, nil,
			"2026/11/22/" + name + ".wav +8s talk found"},
		{"before it", []file{{"2026/11/22/" + name + ".wav", wav(2, -1), 3 * time.Second}}, nil, "2026/11/22/" + name + ".wav +1s found"},
		{"before it, as CDR has it", []file{{"2026/11/22/" + name + ".wav", wav(2, -1), 3 * time.Second}}, nil, "2026/11/22/" + name + ".wav +1s talk found"},
		{"copied later: the name's time", []file{{name + ".wav", wav(8, -1), time.Hour}}, nil, name + ".wav +0s talk found"},
		{"converted: the name's time, of a zone three hours and a half ahead", []file{{strings.Replace(name, "164952", "201959", 1) + ".mp3", mp3, time.Hour}}, nil,
			strings.Replace(name, "164952", "201959", 1) + ".mp3 +7s talk found"},
		{"the name's time is not in the call", []file{{strings.Replace(name, "164952", "165552", 1) + ".mp3", mp3, time.Hour}}, nil,
			strings.Replace(name, "164952", "165552", 1) + ".mp3 +0s talk found"},
		{"twins", []file{{name + ".mp3", mp3, time.Minute}, {name + ".wav", wav(8, -1), 16 * time.Second}}, nil, name + ".wav +8s talk found"},
		{"twins, the first one empty", []file{{name + ".mp3", mp3, time.Minute}, {name + ".wav", wav(0, -1), 16 * time.Second}}, nil, name + ".mp3 +0s talk found"},
		{"empty", []file{{name + ".wav", wav(0, -1), 16 * time.Second}}, nil, ""},
		{"no audio", []file{{name + ".wav", []byte("hello"), 16 * time.Second}}, nil, ""},
		{"growing: the watch decides", []file{{name + ".wav", wav(8, 0), 16 * time.Second}}, nil, name + ".wav +8s talk found"},
		{"told by CEL", []file{{"2026/11/22/" + name + ".wav", wav(8, -1), 16 * time.Second}}, []record.Recording{announced(spool + "/2026/11/22/" + name + ".wav")},
			"2026/11/22/" + name + ".wav +2s"},
		{"told by CEL, converted since", []file{{name + ".mp3", mp3, time.Hour}}, []record.Recording{announced(spool + "/2026/11/22/" + name + ".wav")},
			"2026/11/22/" + name + ".wav +2s"},
		{"told by CDR, a bare name in the folder of the day", []file{{"2026/11/22/" + id + ".wav", wav(8, -1), 16 * time.Second}}, []record.Recording{announced(id + ".wav")},
			"2026/11/22/" + id + ".wav +2s found"},
		{"two", []file{{name + ".wav", wav(8, -1), 16 * time.Second}, {id + ".wav", wav(2, -1), 5 * time.Second}}, nil,
			id + ".wav +3s talk found " + name + ".wav +8s talk found"},
	} {
		dir := t.TempDir()
		lib := recording.New([]recording.Directory{{Path: dir, AsteriskPath: spool}})
		for _, f := range c.files {
			put(t, filepath.Join(dir, f.name), f.data, f.ended)
		}
		r := missed(id)
		r.Details.Recordings = c.had
		if strings.HasSuffix(c.what, "as CDR has it") {
			r.Details.Approximate = []string{"whole seconds"}
		}
		err := lib.Find(t.Context(), []recording.Call{{Record: &r}})
		var got []string
		for _, rec := range r.Details.Recordings {
			text := fmt.Sprintf("%s +%v", strings.TrimPrefix(rec.Path, spool+"/"), rec.At.Sub(began()))
			if rec.Talk {
				text += " talk"
			}
			if rec.Found {
				text += " found"
			}
			got = append(got, text)
			if rec.ID != record.RecordingID(rec.Path) || rec.State != record.Announced {
				t.Errorf("%s: %+v", c.what, rec)
			}
		}
		if err != nil || strings.Join(got, " ") != c.want {
			t.Errorf("%s: got %q (%v), want %q", c.what, got, err, c.want)
		}
	}
}

// TestFindKeepsInside: no symbolic link is followed, neither of a file nor of a
// folder; a folder that may not be read is told, and what is elsewhere is found.
func TestFindKeepsInside(t *testing.T) {
	const id = "1795366192.23"
	top := t.TempDir()
	dir, other := filepath.Join(top, "monitor"), filepath.Join(top, "archive")
	put(t, filepath.Join(top, "secret", id+".wav"), wav(8, -1), 16*time.Second)
	put(t, filepath.Join(other, id+"-b.wav"), wav(8, -1), 16*time.Second)
	put(t, filepath.Join(dir, "2026/10/22/x.wav"), wav(8, -1), 0)
	for link, to := range map[string]string{dir + "/" + id + "-a.wav": top + "/secret/" + id + ".wav", dir + "/2026/11": top + "/secret"} {
		if err := os.Symlink(to, link); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(top+"/secret/22", 0o755); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(top, "secret/22", id+".wav"), wav(8, -1), 16*time.Second)
	lib := recording.New([]recording.Directory{{Path: dir}, {Path: other}, {Path: top + "/none"}})
	r := missed(id)
	err := lib.Find(t.Context(), []recording.Call{{Record: &r}})
	if found(other, &r) != id+"-b.wav" {
		t.Errorf("found %q", found(other, &r))
	}
	if err == nil || !strings.Contains(err.Error(), "symbolic link") {
		t.Errorf("a folder that is a link: %v", err)
	}
}

// TestFindBounds: too many files of one call are left, and said to be; calls
// together are looked for at once.
func TestFindBounds(t *testing.T) {
	dir := t.TempDir()
	lib := recording.New([]recording.Directory{{Path: dir}})
	var calls []recording.Call
	for i := range 40 {
		r := missed(fmt.Sprintf("1795366192.%d", i))
		put(t, filepath.Join(dir, r.CallID+".wav"), wav(1, -1), 6*time.Second)
		calls = append(calls, recording.Call{Record: &r})
	}
	for i := range 100 {
		put(t, filepath.Join(dir, fmt.Sprintf("%d-1795366192.7.wav", i)), wav(1, -1), 6*time.Second)
	}
	err := lib.Find(t.Context(), calls)
	if err == nil || !strings.Contains(err.Error(), "named after the call 1795366192.7: the rest is left") {
		t.Errorf("got %v", err)
	}
	for i, c := range calls {
		if n := len(c.Record.Details.Recordings); n != 1 && i != 7 || i == 7 && n != 64 {
			t.Errorf("%s has %d recordings", c.Record.CallID, n)
		}
	}
}
