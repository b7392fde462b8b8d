// Package webhook tells the outside what happens: it decides which changes
// become events ([Plan]), and delivers what the store's outbox holds to each
// configured endpoint ([Worker]).
//
// An event is written to the outbox in the transaction that holds its fact, so
// none is lost and none is told of what did not happen. Each endpoint has a
// worker of its own: a slow one holds no other up. Of one call an endpoint gets
// one event at a time, in order; of several calls, several at once. An event is
// sent until it is taken, with the same id each time, so a receiver that knows
// the ids it had has each event once.
//
// Endpoints are those of the configuration and those that were added while voipd ran,
// which the store keeps (hooks.go). How each does, and since when one takes nothing,
// outlasts a restart (state.go).
//
// An event that the endpoint refuses for good (400, 410, 413, 422) is parked and
// stepped over: one event that an app cannot take must not keep the
// rest of the call, least of all its record, from it.
package webhook
