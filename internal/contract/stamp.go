package contract

import (
	"bytes"
	"time"
)

// TimeLayout is how every answer and event writes a time, in UTC.
const TimeLayout = "2006-01-02T15:04:05.000Z07:00"

// Stamped gives JSON whose times have three digits behind the point, as
// [TimeLayout] has it: encoding/json writes as many as there are. Where all have,
// it is the same text.
func Stamped(text []byte) []byte {
	const mark = `":"2`
	var out []byte
	done := 0
	for at := 0; ; {
		next := bytes.Index(text[at:], []byte(mark))
		if next < 0 {
			break
		}
		begin := at + next + len(mark) - 1
		at = begin
		length := bytes.IndexByte(text[begin:], '"')
		if length < len("2006-01-02T15:04:05Z") || length > len("2006-01-02T15:04:05.000000000Z") || length == len(TimeLayout)-5 || !timed(text[:begin-3]) {
			continue
		}
		t, err := time.Parse(time.RFC3339Nano, string(text[begin:begin+length]))
		if err != nil {
			continue
		}
		out = append(out, text[done:begin]...)
		out = t.UTC().AppendFormat(out, TimeLayout)
		done = begin + length
	}
	if out == nil {
		return text
	}
	return append(out, text[done:]...)
}

// timed tells whether the member whose name a text ends with is a time: a caller's
// name may look like one and stays as it is.
func timed(before []byte) bool {
	name := before[bytes.LastIndexByte(before, '"')+1:]
	switch string(name) {
	case "at", "since", "last", "lastEvent", "nextTry", "lastCommit", "oldest", "asOf":
		return true
	}
	return bytes.HasSuffix(name, []byte("At")) || bytes.HasSuffix(name, []byte("Since")) || bytes.HasSuffix(name, []byte("Until"))
}
