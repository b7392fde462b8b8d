package record

import "time"

// Kind says what an [Event] states. All kinds are past tense: an Event is a
// fact that was so at its time, never a command and never a difference.
type Kind uint8

// The kinds of facts. The comments name the AMI event that states each; other
// sources (ARI, CEL, CDR) have their own words for the same facts.
const (
	None                Kind = iota // the zero Event says nothing and changes nothing
	Created                         // Newchannel: Channel exists; State, Number, Name, Context, Exten
	StateChanged                    // Newstate: Channel is in State
	Identified                      // NewCallerid: Channel's caller ID is Number, Name
	Executed                        // Newexten: Channel runs application Key with data Value at Context, Exten
	VariableSet                     // VarSet: Channel variable Key is Value
	DialStarted                     // DialBegin: Peer is rung for Channel (no Channel: the PBX itself rings); Value is the dial string
	DialEnded                       // DialEnd: Peer's ringing ended with status Value
	BridgeEntered                   // BridgeEnter: Channel is in Bridge, whose kind is BridgeKind; Value says why that is not certain, if it is not
	BridgeLeft                      // BridgeLeave: Channel is no longer in Bridge
	LocalJoined                     // LocalBridge: Channel (;1) and Peer (;2) are two halves of one Local channel
	HangupRequested                 // HangupRequest: the far side of Channel hung up, with Cause
	HungUp                          // Hangup: Channel is gone, with Cause; Value says what of it the source cannot tell for certain, if anything
	BlindTransferred                // BlindTransfer: Channel sent Peer to Exten
	AttendedTransferred             // AttendedTransfer: Channel's call and Peer's call (the transferer's two legs) became one
	PickedUp                        // Pickup: Channel took the call that rang at Peer
	Parked                          // ParkedCall: Channel waits at parking space Value; Key is the parker's dial string
	Unparked                        // UnParkedCall: Peer took Channel from parking space Value
	ParkTimedOut                    // ParkedCallTimeOut: nobody took Channel from parking space Value
	ParkAbandoned                   // ParkedCallGiveUp: Channel hung up while parked
	Held                            // Hold: Channel put its other side on hold
	Resumed                         // Unhold: Channel took its other side back
	QueueJoined                     // QueueCallerJoin: Channel waits in queue Value
	QueueLeft                       // QueueCallerLeave, QueueCallerAbandon: Channel no longer waits in queue Value
	ConferenceJoined                // ConfbridgeJoin: Channel is in conference Value, on Bridge
	Originated                      // OriginateResponse: the PBX rang Channel in order to connect it to Exten; or voipd ordered it to, before the channel is there, for the operator at Number. Value "Failure": it did not; Key is then the order's id
	RecordingStarted                // MixMonitorStart: Channel is recorded, and a VariableSet of its own names the file; ARI: Channel or Bridge is recorded to the file Value
	VoicemailLeft                   // MessageWaiting on a channel: a message was left in mailbox Value
	SnapshotBegan                   // the PBX begins to list its channels
	ChannelPresent                  // CoreShowChannel: Channel exists, in State, at Context, Exten, in Bridge; it is Age old
	SnapshotEnded                   // CoreShowChannelsComplete: what was not listed is gone
	Gapped                          // facts may have been missed from here to the next snapshot; Value says why
	RecordingChecked                // Disk: the recording Key of the call Value was checked; Recorded says what was found
	ClockSet                        // Clock: the PBX's wall clock was set ahead by Age, or back; At is what it said then
	Accompanied                     // Journal: Channel is in the conference Bridge with Peer, who is another call's
	Alone                           // Journal: Channel is alone in the conference Bridge
	RingingsDropped                 // Journal: of the call of Channel, so many (Key) ringings before are only counted; phones of operators in Number, how they ended in Value, their time in Age
	Lent                            // Journal: Channel is in Bridge with Peer, an agent who is logged in by a call of his own
	Returned                        // Journal: Peer is no longer with the call of Channel; Value says whether he hung up
	Consulted                       // Journal: the call Value, which is over, was a consultation of the call of Channel
	kindEnd                         // not a kind: how many there are
)

// Source says who told an Event.
type Source uint8

// The sources. A record told by a lower number outranks one told by a higher.
const (
	SourceAMI Source = iota + 1
	SourceARI
	SourceCEL
	SourceCDR
	SourceDisk
	SourceClock
)

// State is the state of a channel, with Asterisk's own numbers
// (ChannelState in AMI; include/asterisk/channelstate.h).
type State uint8

// The states that matter to a call.
const (
	Down       State = 0 // exists, but nothing has happened: the PBX calls somebody
	Reserved   State = 1
	OffHook    State = 2
	Dialing    State = 3 // digits are being dialled
	Ring       State = 4 // the far side calls the PBX
	Ringing    State = 5 // the far side rings
	Up         State = 6 // the line is up; not yet a conversation
	Busy       State = 7
	DialingOff State = 8 // dialling while off hook
	PreRing    State = 9
)

// BridgeKind says what it means to be in a bridge.
type BridgeKind uint8

const (
	Mixing     BridgeKind = iota // its members hear each other
	Holding                      // its members hear music: parking, holding bridges
	Conference                   // its members hear each other, but each came by a call of his own
)

// Channel names one channel of the PBX.
type Channel struct {
	ID     string `json:"id,omitempty"`     // Uniqueid; text, compared whole, never split
	Linked string `json:"linked,omitempty"` // Linkedid at the time of the event; empty where the source has none
	Name   string `json:"name,omitempty"`   // "PJSIP/101-0000000f"; says technology and endpoint, never used as a key
	// Class is what the PBX shows the channel's endpoint to be, beside its name:
	// [ClassTrunk], [ClassExtension], or the latter with the number of its
	// caller ID behind a space, or [ClassOperator] and an extension. Empty: it
	// shows nothing.
	Class string `json:"class,omitempty"`
}

// What the PBX may show an endpoint to be.
const (
	ClassTrunk     = "trunk"
	ClassExtension = "extension"
	ClassOperator  = "operator" // it has it written down whose phone that is
)

// Event is one fact about the PBX, stated so that hearing it twice is
// harmless. Which fields mean something is said at each [Kind]; the others are
// zero. Events are comparable with ==.
type Event struct {
	At         time.Time     `json:"at"` // when it happened on the PBX, UTC; the time of receipt only where Asterisk gives none
	Kind       Kind          `json:"kind"`
	Source     Source        `json:"source"`
	Channel    Channel       `json:"channel,omitzero"` // whom the fact is about
	Peer       Channel       `json:"peer,omitzero"`    // the other one: dialled, other Local half, transfer or pickup target
	State      State         `json:"state,omitempty"`  // of Channel
	Cause      int           `json:"cause,omitempty"`  // hangup cause, Q.850; 0 is "not said"
	Tech       int           `json:"tech,omitempty"`   // HangupRequested, HungUp: the SIP code, where told (Asterisk 22: TechCause)
	Number     string        `json:"number,omitempty"` // caller ID number of Channel
	Name       string        `json:"name,omitempty"`   // caller ID name of Channel
	PeerNumber string        `json:"peerNumber,omitempty"`
	Context    string        `json:"context,omitempty"` // where Channel stands in the dialplan
	Exten      string        `json:"exten,omitempty"`
	Bridge     string        `json:"bridge,omitempty"`
	BridgeKind BridgeKind    `json:"bridgeKind,omitempty"`
	Key        string        `json:"key,omitempty"`
	Value      string        `json:"value,omitempty"`
	Age        time.Duration `json:"age,omitempty"`     // ChannelPresent: how long the channel has existed; ClockSet: by how much
	Recorded   FileFact      `json:"recorded,omitzero"` // RecordingChecked only
}

// FileFact is what the disk says of a recording's file.
type FileFact struct {
	State RecordingState `json:"state,omitempty"`
	Bytes int64          `json:"bytes,omitempty"`
	Audio time.Duration  `json:"audio,omitempty"` // length of the sound; 0 where it cannot be told from the header
}
