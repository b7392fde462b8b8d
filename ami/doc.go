// Package ami speaks the Asterisk Manager Interface: the line protocol on TCP port 5038 over which Asterisk tells what
// happens on the PBX and takes orders.
//
// Three layers, each usable without the ones after it:
//
//   - Reader cuts a byte stream into Messages. No allocation per message, bounded memory, and bad bytes cost the
//     message they are in and nothing else.
//   - Action is an order to the PBX; its Encode is the only way bytes get onto the wire, so that no value can smuggle
//     a line break into it.
//   - Client keeps one session alive: login, event mask, snapshot, ping, reconnect, and answers found by ActionID.
//
// What the messages mean for calls is in the translation to record.Event, apart from the protocol.
package ami
