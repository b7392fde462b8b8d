package record

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"
)

// Direction of a call: who began it decides (decide.go).
type Direction string

// The three directions.
const (
	In       Direction = "in"
	Out      Direction = "out"
	Internal Direction = "internal"
)

// Disposition is the outcome of a call (decide.go).
type Disposition string

// The outcomes.
const (
	Answered  Disposition = "answered"
	NoAnswer  Disposition = "no_answer"
	Cancelled Disposition = "cancelled"
	BusyLine  Disposition = "busy"
	Failed    Disposition = "failed"
	Unknown   Disposition = "unknown"
)

// Record is what there is to say of one call: the app's VoipCallRecord, field
// for field, and the details beside it.
type Record struct {
	CallID      string // linkedid of the channel that began the call; never changes
	Direction   Direction
	Disposition Disposition
	SrcPhone    string
	SrcPhoneExt string // empty: absent
	DstPhone    string
	DstPhoneExt string // empty: absent
	Duration    int    // whole seconds of conversation, rounded down
	Details     Details
}

// Details is what the app's record has no field for. Times are
// UTC with milliseconds. What the outside is shown of it is in internal/contract,
// what the database keeps in store/details.go.
type Details struct {
	StartedAt     time.Time
	AnsweredAt    time.Time // start of the first conversation
	EndedAt       time.Time
	RingMS        int64 // while at least one phone rang and nobody had talked yet
	WaitMS        int64 // from the start to the first conversation, or to the end
	HoldMS        int64
	TalkMS        int64 // time in which at least two people heard each other
	DID           string
	CallerName    string
	Asked         string // the number that the caller asked for, as rewritten
	BeganBy       string // external, operator or pbx
	Rang          []Rang // of a long call the first and last hundred, and those that were answered
	RangOmitted   int    // how many ringings are not in Rang
	Conversations []Conversation
	Transfers     []Transfer
	Queue         string
	QueueWaitMS   int64
	Service       string // ivr, queue, announcement, voicemail, conference, parking, spy, echo
	Voicemail     bool
	HangupCause   int    // Q.850, of the channel that began the call
	HangupBy      string // a phone, or "pbx"
	Recordings    []Recording
	MergedInto    string   // the call that this one went into
	Absorbed      []string // calls that went into this one
	Approximate   []string
	Why           []Reason
	PBX           string
	Source        string // ami, ari, cel, cdr
}

// Rang is one ringing of one phone.
type Rang struct {
	Phone   string
	At      time.Time
	MS      int64
	Outcome string // answered, no_answer, busy, failed, cancelled, elsewhere
	Cause   int
}

// Conversation is a time in which A and B could hear each other.
type Conversation struct {
	A  string
	B  string
	At time.Time
	MS int64
}

// Transfer is one hand-over of a call.
type Transfer struct {
	Kind string // blind, attended, pickup, park, unpark, recall
	By   string
	To   string
	At   time.Time
}

// RecordingState says how far a recording's file is.
type RecordingState string

// The states of a recording's file.
const (
	Announced RecordingState = "announced" // the PBX said that it records; the file has not been looked at
	Growing   RecordingState = "growing"   // still being written
	Ready     RecordingState = "ready"     // whole, with sound in it
	Empty     RecordingState = "empty"     // no sound in it: not a recording
	Gone      RecordingState = "gone"      // not on the disk
)

// Recording is one audio file made for a channel of the call.
type Recording struct {
	ID    string    // stable: from the path that the PBX told
	Path  string    // as the PBX names it
	At    time.Time // when recording began
	State RecordingState
	Bytes int64
	MS    int64
	Talk  bool // it ran while its channel was in a conversation
	// Found: nobody told of it, or not where it is; the file was found on the
	// disk, by the id of one of the call's channels in its name. Where nobody
	// told, At and Talk are what the file's times and name say.
	Found bool
}

// Stem is the file's name without folder and extension: what stays of it when a
// script moves or converts the file.
func (r Recording) Stem() string { return Stem(r.Path) }

// Stem is a path's last part without its extension. What follows the last dot
// is none where it is a number, as in a file that is called by a channel's id.
func Stem(path string) string {
	base := path[strings.LastIndexByte(path, '/')+1:]
	dot := strings.LastIndexByte(base, '.')
	if dot < 0 || strings.Trim(base[dot+1:], "0123456789") == "" {
		return base
	}
	return base[:dot]
}

// RecordingID is the stable id of the recording that the PBX wrote to path.
func RecordingID(path string) string {
	sum := sha256.Sum256([]byte(path))
	return hex.EncodeToString(sum[:8])
}

// Reason says which rule decided a field, and when the deciding fact happened.
type Reason struct {
	Field string
	Rule  string
	At    time.Time
}

// Recorded tells whether the call has a recording with sound in it, as far as
// is known.
func (r *Record) Recorded() bool { return r.FirstRecording() != nil }

// FirstRecording is the recording that the app's player gets: the first that
// holds conversation, else nil.
func (r *Record) FirstRecording() *Recording {
	for i := range r.Details.Recordings {
		rec := &r.Details.Recordings[i]
		if rec.Talk && rec.State != Empty && rec.State != Gone {
			return rec
		}
	}
	return nil
}

// UpdateRecording takes into the record what the disk says of the recording
// with the given id, and reports whether that changed anything. An empty file
// is not a recording: it leaves the list.
func (r *Record) UpdateRecording(id string, f FileFact) bool {
	list := r.Details.Recordings
	for i := range list {
		rec := &list[i]
		if rec.ID != id {
			continue
		}
		if f.State == Empty {
			r.Details.Recordings = append(list[:i:i], list[i+1:]...)
			return true
		}
		next := *rec
		next.State, next.Bytes, next.MS = f.State, f.Bytes, f.Audio.Milliseconds()
		changed := next != *rec
		*rec = next
		return changed
	}
	return false
}
