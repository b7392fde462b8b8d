//go:build lab

package lab

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Recorder writes down what the PBX says of itself while something happens:
// the raw AMI stream of a session with every event class, when each piece of
// it came, CEL and CDR rows, and the recordings.
type Recorder struct {
	office  *Office
	ami     *AMI
	mu      sync.Mutex
	raw     bytes.Buffer
	idx     bytes.Buffer
	ari     bytes.Buffer // events, one a line
	stopARI func()
	began   time.Time
	cel     int64 // size of the files at the beginning
	cdr     int64
}

// Record begins to write down what the AMI tells the given user, and ARI.
func (o *Office) Record(ctx context.Context, user string) (*Recorder, error) {
	r := &Recorder{office: o, began: time.Now()}
	r.cel, r.cdr = fileSize(r.path("cel")), fileSize(r.path("cdr"))
	var err error
	if r.stopARI, err = ariEvents(ctx, "lab-recorder", true, r.event); err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	r.ami, err = DialAMI(pbxAMI, user, nil, r)
	if err != nil {
		return nil, fmt.Errorf("record AMI stream: %w", err)
	}
	return r, nil
}

// path is the CSV file of kind "cel" or "cdr".
func (r *Recorder) path(kind string) string {
	return r.office.PBX.Path("/var/log/asterisk-pbx/" + kind + "-custom/Master.csv")
}

// Write takes a piece of the AMI stream as it comes.
func (r *Recorder) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	fmt.Fprintf(&r.idx, "%.4f %d\n", float64(time.Now().UnixNano())/1e9, r.raw.Len())
	return r.raw.Write(p)
}

// event takes an ARI event.
func (r *Recorder) event(text []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ari.Write(bytes.ReplaceAll(text, []byte("\n"), nil))
	r.ari.WriteByte('\n')
}

// Close ends the writing down. It may be called twice.
func (r *Recorder) Close() {
	r.ami.Close()
	r.stopARI()
}

// audioFile is one line of recordings.json.
type audioFile struct {
	File    string  `json:"file"` // below the monitor directory
	Bytes   int     `json:"bytes"`
	Seconds float64 `json:"seconds"`
	Audible bool    `json:"audible"`
}

// expectation is expect.json: the records that must come of the capture.
type expectation struct {
	Scenario string           `json:"scenario"`
	Title    string           `json:"title"`
	Asterisk string           `json:"asterisk"`
	Started  float64          `json:"started"`
	Seconds  float64          `json:"seconds"`
	Records  []expectedRecord `json:"records"`
}

type expectedRecord struct {
	Call        int    `json:"call"` // of the scenario, from 1
	CallID      string `json:"callId"`
	Direction   string `json:"direction"`
	SrcPhone    any    `json:"srcPhone"` // a string, or a list of right ones; so with the next two
	DstPhone    any    `json:"dstPhone"`
	Disposition any    `json:"disposition"`
	Duration    *int   `json:"duration"` // null: not judged
	Recorded    bool   `json:"recorded"`
}

// oneOf is a text, or a list of those that "|" separates.
func oneOf(text string) any {
	if all := strings.Split(text, "|"); len(all) > 1 {
		return all
	}
	return text
}

// expected is what the scenarios must leave, with the call IDs they really got.
func expected(played ...*playing) []expectedRecord {
	records := []expectedRecord{}
	for _, p := range played {
		for i, c := range p.Calls {
			if c.Want == nil {
				continue
			}
			e := expectedRecord{CallID: p.ids[i], Direction: c.Want.Direction, SrcPhone: oneOf(c.Want.Src), DstPhone: oneOf(c.Want.Dst),
				Disposition: oneOf(c.Want.Disposition), Call: i + 1, Recorded: c.Want.Audio != 0}
			if c.Want.Duration != NotJudged {
				e.Duration = &c.Want.Duration
			}
			records = append(records, e)
		}
	}
	return records
}

// Save ends the recording and writes it to the folder dir.
func (r *Recorder) Save(dir, name, title, version string, played ...*playing) error {
	r.Close()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("save capture: %w", err)
	}
	audio, err := r.audio(dir)
	if err != nil {
		return fmt.Errorf("save capture %s: %w", name, err)
	}
	want := expectation{Scenario: name, Title: title, Asterisk: version, Started: float64(r.began.UnixMilli()) / 1e3,
		Seconds: time.Since(r.began).Round(100 * time.Millisecond).Seconds(), Records: expected(played...)}
	files := map[string][]byte{"ami.txt": r.raw.Bytes(), "ari.jsonl": r.ari.Bytes(), "ami.idx": r.idx.Bytes()}
	for kind, from := range map[string]int64{"cel": r.cel, "cdr": r.cdr} {
		if files[kind+".csv"], err = since(r.path(kind), from); err != nil {
			return fmt.Errorf("save capture %s: %w", name, err)
		}
	}
	for file, v := range map[string]any{"recordings.json": audio, "expect.json": want} {
		if files[file], err = json.MarshalIndent(v, "", " "); err != nil {
			return fmt.Errorf("save capture %s: %w", name, err)
		}
	}
	for file, b := range files {
		if err := os.WriteFile(filepath.Join(dir, file), b, 0o644); err != nil {
			return fmt.Errorf("save capture: %w", err)
		}
	}
	return nil
}

// audio lists the recordings made meanwhile, and copies those with sound to rec/.
func (r *Recorder) audio(dir string) ([]audioFile, error) {
	files := []audioFile{}
	root := r.office.PBX.Path(monitorDir)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil || info.ModTime().Before(r.began) {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		_, length, err := AudioLength(b)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		f := audioFile{File: strings.TrimPrefix(path, root+"/"), Bytes: len(b),
			Seconds: float64(length.Milliseconds()/10) / 100, Audible: Audible(path, b)}
		files = append(files, f)
		if !f.Audible {
			return nil
		}
		copied := filepath.Join(dir, "rec", f.File)
		if err := os.MkdirAll(filepath.Dir(copied), 0o755); err != nil {
			return err
		}
		return os.WriteFile(copied, b, 0o644)
	})
	return files, err
}

// fileSize is 0 for a file that is not there yet.
func fileSize(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

func since(path string, from int64) ([]byte, error) {
	b, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return nil, nil // Asterisk makes it with the first row
	}
	if err != nil {
		return nil, err
	}
	return b[min(from, int64(len(b))):], nil
}
