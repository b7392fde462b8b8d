// Package trace writes and reads the facts from which a record was made, as a
// file that replays, and shows them to a person.
//
// A trace is JSON lines: a header, then one record.Event a line. Its numbers
// and names can be replaced, so that a bug report tells nobody's calls.
package trace

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"

	"github.com/voipd/voipd/record"
)

// header is the first line of a trace.
type header struct {
	Trace int    `json:"voipdTrace"` // version of the format
	Call  string `json:"call"`
}

const version = 1

// Write writes the events of a call as a trace.
func Write(w io.Writer, callID string, events []record.Event) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(header{version, callID}); err != nil {
		return fmt.Errorf("write trace: %w", err)
	}
	for _, e := range events {
		if err := enc.Encode(e); err != nil {
			return fmt.Errorf("write trace: %w", err)
		}
	}
	return nil
}

// line bounds one line of a trace.
const line = 1 << 20

// Read reads a trace and calls each for every event. A line that cannot be
// read costs only itself; bad says how many did.
func Read(r io.Reader, each func(record.Event)) (callID string, bad int, err error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, line)
	if !lines.Scan() {
		return "", 0, fmt.Errorf("read trace: it is empty: %w", lines.Err())
	}
	var h header
	if err := json.Unmarshal(lines.Bytes(), &h); err != nil || h.Trace == 0 {
		return "", 0, fmt.Errorf("read trace: the first line is not that of a trace")
	}
	if h.Trace > version {
		return "", 0, fmt.Errorf("read trace: it is of version %d, this voipd reads up to %d", h.Trace, version)
	}
	for lines.Scan() {
		var e record.Event
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			bad++
			continue
		}
		each(e)
	}
	if err := lines.Err(); err != nil {
		return h.Call, bad, fmt.Errorf("read trace: %w", err)
	}
	return h.Call, bad, nil
}
