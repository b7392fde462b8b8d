// Package ami speaks the Asterisk Manager Interface: the line protocol on TCP port 5038 over which Asterisk reports
// what happens on the PBX and takes orders.
//
// Three layers, each usable without the ones after it:
//
//   - Reader cuts a byte stream into Messages, without an allocation per message and in bounded memory. Bad bytes lose
//     the message that they are in and nothing else.
//   - Action is an order to the PBX; its Encode is the only way bytes get onto the wire, so that no value can smuggle
//     a line break into it.
//   - Client keeps one session open: login, event mask, snapshot, ping, reconnect, and answers found by ActionID.
//
// Translator, apart from these, turns messages into facts about calls: record.Event.
package ami
