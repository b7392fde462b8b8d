package daemon_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/repair"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

// TestMissedRecordingIsFound: a call comes and goes while voipd is stopped, and
// the queue records it, which CEL does not tell. The record that CEL gives has
// the recording all the same, its link plays it, and it is told to be ready
// once, however often CEL is read.
func TestMissedRecordingIsFound(t *testing.T) {
	o := newOffice(t)
	file := o.withCEL()
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), o.config.Store.Path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(repair.Lost(t.Context(), db, time.Now()), db.Close()); err != nil { // it ran up to now
		t.Fatal(err)
	}
	missed, other := o.captured("queue-second-agent"), o.captured("in-cancel")
	<-missed.Done()
	<-other.Done()
	wav := o.written("q-610-*.wav", 47_000)
	text := rows(t, "queue-second-agent", missed) + rows(t, "in-cancel", other)
	if bytes.Contains([]byte(text), []byte("q-610-")) {
		t.Fatal("CEL tells of the recording: this test proves nothing")
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	o.start()
	var told, ready *record.Record
	for told == nil || ready == nil {
		switch c := o.until(record.RecordRevised); {
		case c.CallID != missed.IDs()[0]:
		case c.Recording == "":
			told = c.Record
		default:
			ready = c.Record
		}
	}
	rec := told.FirstRecording()
	if rec == nil || !rec.Found || told.Details.Source != "cel" || len(told.Details.Recordings) != 1 {
		t.Fatalf("told %+v", told)
	}
	if rec := ready.FirstRecording(); rec == nil || rec.State != record.Ready || rec.MS < 2900 {
		t.Errorf("ready: %+v", ready.Details.Recordings)
	}
	if audio := o.listen(missed.IDs()[0]); !bytes.HasPrefix(audio, []byte("RIFF")) || len(audio) < 2*16000 {
		t.Errorf("the link gives %d bytes", len(audio))
	}
	if err := o.stop(); err != nil {
		t.Fatal(err)
	}
	// A script converts it, and CEL is read again.
	if err := os.WriteFile(strings.TrimSuffix(wav, "wav")+"mp3", append([]byte("ID3"), make([]byte, 3000)...), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(wav); err != nil {
		t.Fatal(err)
	}
	o.start()
	o.repaired()
	for len(o.changes) > 0 {
		if c := <-o.changes; c.Kind == record.RecordRevised {
			t.Errorf("told again: %+v", c)
		}
	}
	if audio := o.listen(missed.IDs()[0]); !bytes.HasPrefix(audio, []byte("ID3")) {
		t.Errorf("the link gives %d bytes", len(audio))
	}
	if err := o.stop(); err != nil {
		t.Error(err)
	}
}

// written waits until the PBX has written so much of a recording, and gives its
// path.
func (o *office) written(name string, size int64) string {
	o.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); <-tick.C {
		found, err := filepath.Glob(filepath.Join(o.config.Recordings.Directories[0].Path, "*/*/*", name))
		if err != nil {
			o.t.Fatal(err)
		}
		if len(found) != 1 {
			continue
		}
		if info, err := os.Stat(found[0]); err == nil && info.Size() >= size {
			return found[0]
		}
	}
	o.t.Fatalf("the PBX did not write %s", name)
	return ""
}

// listen is what the link to a call's recording gives.
func (o *office) listen(callID string) []byte {
	o.t.Helper()
	_, body := o.get("GET", "/v1/records/"+callID, "")
	var r struct{ Call json.RawMessage }
	if err := json.Unmarshal(body, &r); err != nil {
		o.t.Fatalf("%s: %v", body, err)
	}
	status, body := o.get("POST", "/v1/call-link", `{"call":`+string(r.Call)+`}`)
	var link struct{ Link string }
	if err := json.Unmarshal(body, &link); err != nil || status != 200 {
		o.t.Fatalf("%d %s", status, body)
	}
	status, audio := o.get("GET", link.Link, "")
	if status != 200 {
		o.t.Errorf("the link gives %d %s", status, audio)
	}
	return audio
}
