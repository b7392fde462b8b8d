package contract

// The scopes that a token may have. A token without any has all of them.
const (
	ScopeRecords    = "records:read"    // records, calls that go on, members, events
	ScopeRecordings = "recordings:read" // links to audio
	ScopeCalls      = "calls:write"     // place calls and end them
	ScopeMissed     = "missed:write"    // say who need not be called back
	ScopeHooksRead  = "webhooks:read"   // webhooks, and what became of their events
	ScopeHooksWrite = "webhooks:write"  // the same, and change, add and remove webhooks
	ScopeAdmin      = "admin"           // metrics; with records:read paths of recordings, and facts
)

// ScopeMasked takes instead of giving: numbers of people outside are masked for the
// token. Only a token that names it has it.
const ScopeMasked = "numbers:masked"

// NamedScopes are all that a token may name: Scopes and ScopeMasked.
func NamedScopes() []string { return append(Scopes(), ScopeMasked) }

// Scopes are all scopes that give something, in the order in which they are documented.
func Scopes() []string {
	return []string{ScopeRecords, ScopeRecordings, ScopeCalls, ScopeMissed, ScopeHooksRead, ScopeHooksWrite, ScopeAdmin}
}
