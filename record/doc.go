// Package record turns facts about a PBX into call records.
//
// Everything the daemon learns is an [Event]; everything it decides is a
// [Change]. A [Machine] stands between them: it groups channels into calls,
// finds the conversations in them, and writes one [Record] for each call when
// its last channel is gone. The meaning of every field of a Record is fixed in
// decide.go, rule by rule.
//
// The package is pure: no clock, no I/O, no goroutine, no log. The same events
// give the same changes, byte for byte, whoever tells them: a live AMI session,
// a capture file or rows of a database.
//
// Where to look:
//
//	event.go         what can be told to the Machine
//	rules.go         what is an extension, a trunk, an outside number
//	machine.go       Apply: one fact in, changes out
//	follow.go        where a channel stands: state, extension, what it asked for
//	long.go          what is kept of a long call
//	group.go         which channels are one call, and what happens when two calls become one
//	talk.go          who can hear whom: conversations
//	conference.go    the same, in conferences
//	dial.go          who was rung
//	ringing.go       with what outcome: a table
//	originate.go     calls that the PBX begins
//	untold.go        what a fact that did not come leaves behind
//	decide.go        direction, phones, disposition, duration
//	merge.go         which of two accounts of a call is kept, and what it takes from the other
//	record.go        the Record and its details
//	live.go          how a call stands that goes on
//	snapshot.go      what a list of channels after a (re)connect changes
package record
