// Package ari reads a PBX's calls from the Asterisk REST Interface: from the
// event websocket, opened with subscribeAll, and from a list of the channels
// and bridges after each connect. It also originates calls and hangs them up.
//
// Types and decoding are those of github.com/CyCoreSystems/ari/v6. Websocket
// and HTTP requests are made here: the library's client has no context, reads
// the body before the status, and its bus drops events.
//
// ARI says less than AMI. There is no linkedid unless ari.conf has
// channelvars = CHANNEL(linkedid), and no event for queues, parking, pickup,
// conferences and the halves of Local channels. Where Asterisk shows the same
// fact in another way, the [Translator] takes it from there; docs/tellers.md
// lists what is missing.
package ari
