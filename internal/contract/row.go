package contract

import (
	"bytes"
	"encoding/json"
	"path"
	"strconv"

	"github.com/voipd/voipd/record"
)

// AppendRow appends the JSON of a record whose details, but for the recordings,
// are JSON already: text, as the database keeps it. It is what [Encode] makes of
// the same record, byte for byte, for a tenth of the cost: names, order and form
// of text are those of [Details], so it is passed on, with the recordings in
// their place. paths shows the recordings as [WithPaths] does. ok is false, and
// dst as it was, where text is no such JSON, or has a character that is escaped
// there and not in an answer: then the details have to be read.
func AppendRow(dst []byte, r *record.Record, text string, paths bool) (out []byte, ok bool) {
	at, ok := Splice(text)
	if !ok {
		return dst, false
	}
	dst = append(dst, `{"call":{"callId":`...)
	dst = appendText(dst, r.CallID)
	if rec := r.FirstRecording(); rec != nil {
		dst = appendPart(dst, `,"recording":`, rec.ID)
	}
	dst = append(dst, `},"callId":`...)
	dst = appendText(dst, r.CallID)
	dst = append(dst, `,"direction":`...)
	dst = appendText(dst, string(r.Direction))
	dst = append(dst, `,"disposition":`...)
	dst = appendText(dst, string(r.Disposition))
	dst = append(dst, `,"dstPhone":`...)
	dst = appendText(dst, r.DstPhone)
	dst = appendPart(dst, `,"dstPhoneExt":`, r.DstPhoneExt)
	dst = append(dst, `,"duration":`...)
	dst = strconv.AppendInt(dst, int64(r.Duration), 10)
	dst = append(dst, `,"srcPhone":`...)
	dst = appendText(dst, r.SrcPhone)
	dst = appendPart(dst, `,"srcPhoneExt":`, r.SrcPhoneExt)
	dst = append(dst, `,"details":`...)
	dst = append(dst, text[:at]...)
	if len(r.Details.Recordings) > 0 {
		dst = appendRecordings(dst, r.Details.Recordings, paths)
	}
	dst = append(dst, text[at:]...)
	return append(dst, '}'), true
}

// AppendReturned puts the talk since into the details of a record, whose JSON dst
// ends with.
func AppendReturned(dst []byte, r *Returned) ([]byte, error) {
	text, err := Encode(r)
	if err != nil {
		return dst, err
	}
	dst = append(dst[:len(dst)-len("}}")], `,"returned":`...)
	return append(append(dst, text...), "}}"...), nil
}

// appendRecordings appends them as a member behind others.
func appendRecordings(dst []byte, all []record.Recording, paths bool) []byte {
	dst = append(dst, `,"recordings":[`...)
	for i := range all {
		rec := &all[i]
		if i > 0 {
			dst = append(dst, ',')
		}
		shown := rec.Path
		if !paths {
			shown = path.Base(shown)
		}
		dst = append(dst, `{"id":`...)
		dst = appendText(dst, rec.ID)
		dst = append(dst, `,"path":`...)
		dst = appendText(dst, shown)
		dst = append(dst, `,"at":"`...)
		dst = rec.At.UTC().AppendFormat(dst, TimeLayout)
		dst = append(dst, `","state":`...)
		dst = appendText(dst, string(rec.State))
		dst = appendCount(dst, `,"bytes":`, rec.Bytes)
		dst = appendCount(dst, `,"ms":`, rec.MS)
		if rec.Talk {
			dst = append(dst, `,"talk":true`...)
		}
		if rec.Found {
			dst = append(dst, `,"found":true`...)
		}
		dst = append(dst, '}')
	}
	return append(dst, ']')
}

// appendPart and appendCount append a member that is absent where it is empty.
func appendPart(dst []byte, name, s string) []byte {
	if s == "" {
		return dst
	}
	return appendText(append(dst, name...), s)
}

func appendCount(dst []byte, name string, n int64) []byte {
	if n == 0 {
		return dst
	}
	return strconv.AppendInt(append(dst, name...), n, 10)
}

// appendText appends a JSON string.
func appendText(dst []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			text, _ := Encode(s) // of a string, it cannot fail
			return append(dst, text...)
		}
	}
	return append(append(append(dst, '"'), s...), '"')
}

// Encode gives the JSON of a value as answers have it: a browser does not run it,
// so <, > and & stay as they are. Times have three digits.
func Encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return Stamped(bytes.TrimSuffix(b.Bytes(), []byte("\n"))), err
}
