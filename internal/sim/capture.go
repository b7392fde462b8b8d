package sim

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/voipd/voipd/ami"
)

// Capture is one recorded piece of an AMI stream. It is immutable; several plays may share it.
type Capture struct {
	Name   string
	events []captured
	began  time.Time // arrival of the first event
	// What is rewritten at each play, as it stands in the capture.
	ids      []string // unique ids
	channels []string // names without the ;1 or ;2 of a Local channel
	bridges  []string
	audio    []recording
	rows     []row // of CEL
}

// captured is one event and when it came, from the beginning of the capture.
type captured struct {
	after time.Duration
	raw   string
}

// recording is an audio file that the PBX wrote in the capture.
type recording struct {
	base    string // its name without directories
	seconds float64
	audible bool
	from    time.Duration // when MixMonitor began
	to      time.Duration // when it ended, with its channel
	bytes   []byte        // of the file itself, where the capture holds it; one like it is made otherwise
}

// Length is the time from the first event to the last.
func (c *Capture) Length() time.Duration {
	if len(c.events) == 0 {
		return 0
	}
	return c.events[len(c.events)-1].after
}

// IDs are the unique ids as they stand in the capture, in the order of
// Playing.IDs.
func (c *Capture) IDs() []string { return c.ids }

// Load reads the capture in a directory: ami.txt (the raw bytes of a session) and ami.idx (lines "arrival-time
// offset", in seconds since 1970 and bytes), each with .gz or without; recordings.json and the audio files themselves
// if there are any. Without ami.idx everything is taken to have come at once.
func Load(files fs.FS, dir string) (*Capture, error) {
	raw, err := readMaybeGzip(files, path.Join(dir, "ami.txt"))
	if err != nil {
		return nil, fmt.Errorf("load capture %s: %w", dir, err)
	}
	idx, err := readMaybeGzip(files, path.Join(dir, "ami.idx"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("load capture %s: %w", dir, err)
	}
	c, err := parseCapture(raw, idx)
	if err != nil {
		return nil, fmt.Errorf("load capture %s: %w", dir, err)
	}
	c.Name = path.Base(dir)
	if err := c.loadAudio(files, dir); err != nil {
		return nil, fmt.Errorf("load capture %s: %w", dir, err)
	}
	if err := c.loadCEL(files, dir); err != nil {
		return nil, fmt.Errorf("load capture %s: %w", dir, err)
	}
	return c, nil
}

func readMaybeGzip(files fs.FS, name string) ([]byte, error) {
	if plain, err := fs.ReadFile(files, name); err == nil {
		return plain, nil
	}
	f, err := files.Open(name + ".gz")
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("%s.gz: %w", name, err)
	}
	return io.ReadAll(z)
}

func parseCapture(raw, idx []byte) (*Capture, error) {
	arrivals, err := parseIndex(idx)
	if err != nil {
		return nil, err
	}
	c := &Capture{}
	seen := newSeen()
	for r := ami.NewReader(bytes.NewReader(raw), ami.Bounds{}); ; {
		m, err := r.Next()
		var bad *ami.MalformedError
		switch {
		case err == io.EOF:
			c.ids, c.channels, c.bridges = seen.ids.list, seen.channels.list, seen.bridges.list
			return c, nil
		case errors.As(err, &bad):
			continue // the end of a capture may cut an event off
		case err != nil:
			return nil, err
		case !ofCalls(m):
			continue
		}
		at := arrivals.at(m.Offset())
		if len(c.events) == 0 {
			c.began = at
		}
		seen.note(m)
		c.events = append(c.events, captured{after: at.Sub(c.began), raw: withoutTimestamp(string(m.Raw()))})
	}
}

// ofCalls leaves out what belongs to the session that captured, and not to the PBX.
func ofCalls(m *ami.Message) bool {
	switch string(m.Event()) {
	case "", "FullyBooted", "SuccessfulAuth", "ChallengeSent", "ChallengeResponseFailed", "Shutdown":
		return false
	}
	return m.Get("ActionID") == nil || string(m.Event()) == "OriginateResponse"
}

func withoutTimestamp(raw string) string {
	before, rest, found := strings.Cut(raw, "\nTimestamp: ")
	if !found {
		return raw
	}
	_, rest, _ = strings.Cut(rest, "\n")
	return before + "\n" + rest
}

// index says when each byte of the raw stream arrived.
type index struct {
	times   []time.Time
	offsets []int64
}

func parseIndex(idx []byte) (index, error) {
	var in index
	lines := bufio.NewScanner(bytes.NewReader(idx))
	for n := 1; lines.Scan(); n++ {
		when, offset, _ := strings.Cut(lines.Text(), " ")
		seconds, err := strconv.ParseFloat(when, 64)
		if err != nil {
			return in, fmt.Errorf("arrival times, line %d: %w", n, err)
		}
		at, err := strconv.ParseInt(offset, 10, 64)
		if err != nil {
			return in, fmt.Errorf("arrival times, line %d: %w", n, err)
		}
		in.times = append(in.times, time.UnixMicro(int64(seconds*1e6)).UTC())
		in.offsets = append(in.offsets, at)
	}
	return in, lines.Err()
}

// at is the arrival of the piece that the offset is in.
func (in index) at(offset int64) time.Time {
	var at time.Time
	for i, from := range in.offsets {
		if from > offset {
			break
		}
		at = in.times[i]
	}
	return at
}

func (c *Capture) loadAudio(files fs.FS, dir string) error {
	listed, err := fs.ReadFile(files, path.Join(dir, "recordings.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	var all []struct {
		File    string
		Seconds float64
		Audible bool
	}
	if err := json.Unmarshal(listed, &all); err != nil {
		return fmt.Errorf("recordings.json: %w", err)
	}
	for _, a := range all {
		r := recording{base: path.Base(a.File), seconds: a.Seconds, audible: a.Audible}
		for _, name := range []string{path.Join(dir, r.base), path.Join(dir, "rec", a.File)} {
			if b, err := fs.ReadFile(files, name); err == nil {
				r.bytes = b
				break
			}
		}
		ext := path.Ext(r.base)
		if c.times(&r) && (r.bytes != nil || ext == ".wav" || ext == ".gsm") {
			c.audio = append(c.audio, r)
		}
	}
	return nil
}

// times finds when the recording ran: from the VarSet that names it to the Hangup of that channel.
func (c *Capture) times(r *recording) bool {
	id := ""
	for _, e := range c.events {
		switch {
		case id == "" && strings.Contains(e.raw, "Variable: MIXMONITOR_FILENAME") && strings.Contains(e.raw, r.base):
			id, r.from, r.to = headerOf(e.raw, "Uniqueid"), e.after, c.Length()
		case id != "" && strings.HasPrefix(e.raw, "Event: Hangup\r") && headerOf(e.raw, "Uniqueid") == id:
			r.to = e.after
			return true
		}
	}
	return id != ""
}

func headerOf(raw, key string) string {
	_, rest, _ := strings.Cut(raw, "\n"+key+": ")
	value, _, _ := strings.Cut(rest, "\r")
	return value
}
