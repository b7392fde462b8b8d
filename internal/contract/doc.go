// Package contract is what the outside sees of voipd, and nothing else: the
// JSON of records, calls going on, members and health, the kinds and bodies of
// events, and the scopes of tokens.
//
// Its types are its own. A field renamed in package record or in the database
// changes nothing here, and the other way round: [FromRecord] and [Plan] are
// the only places where both are known. The API, the webhooks and the live
// stream all write these types, so that one thing looks the same everywhere.
package contract
