package record

import "time"

// ChangeKind says what a [Change] decides.
type ChangeKind uint8

// The kinds of changes, in the order in which a call has them.
const (
	CallBegan       ChangeKind = iota + 1 // a call exists
	PhoneRang                             // Phone is being rung
	PhoneStopped                          // Phone, which was told to ring, no longer does, and nobody answered it: Outcome says why
	CallAnswered                          // Phone and Other began to talk
	CallTransferred                       // Phone handed the call over to Other
	CallHeld                              // Phone put the call on hold
	CallResumed                           // Phone took the call back
	CallMerged                            // this call went into the call Other; no more is told of it
	CallEnded                             // the call is over: Record says everything
	RecordRevised                         // something about an ended call became known: Record replaces the former one
)

// String is the kind's name, for messages.
func (k ChangeKind) String() string {
	names := [...]string{"none", "began", "rang", "stopped", "answered", "transferred", "held", "resumed", "merged", "ended", "revised"}
	if int(k) < len(names) {
		return names[k]
	}
	return "unknown"
}

// Change is one decision of the Machine.
type Change struct {
	Kind   ChangeKind
	At     time.Time
	CallID string
	Phone  string
	Other  string
	// Outcome is how the ringing of a phone that stopped ended: no_answer, busy,
	// failed, cancelled or elsewhere, as in the record's details. Who answered only
	// after it counts in the record alone.
	Outcome string
	Record  *Record // CallEnded and RecordRevised; also CallMerged where the merged call keeps a record
	Quiet   bool    // CallMerged of a call that nobody was told of: of interest only to the journal

	// Retracts is set by CallMerged of a call that had ended: its record, which was told,
	// is no record any more.
	Retracts bool

	Recording string // RecordRevised: id of the recording whose state changed; empty: something else did

	// Channels are the ids of all channels that the call had, in the order in
	// which they became part of it, where Record is of a call that is over.
	Channels []string
}
