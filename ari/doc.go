// Package ari tells a PBX's calls by the Asterisk REST Interface: the event
// websocket with subscribeAll, and a list of channels and bridges after each
// connect.
//
// ARI tells less than AMI: there is no linkedid unless ari.conf has
// channelvars = CHANNEL(linkedid), and no event for queues, parking, pickup,
// conferences and the halves of Local channels. Where Asterisk shows the same
// fact in another way, the Translator takes it from there; the rest is listed
// in docs/tellers.md.
package ari
