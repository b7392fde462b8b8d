package contract

// The scopes that a token may have. A token without any has all of them.
const (
	ScopeRecords    = "records:read"    // records, calls that go on, members, events
	ScopeRecordings = "recordings:read" // links to audio
	ScopeCalls      = "calls:write"     // place calls and end them
	ScopeMissed     = "missed:write"    // say who need not be called back
	ScopeHooksRead  = "webhooks:read"   // webhooks, and what became of their events
	ScopeHooksWrite = "webhooks:write"  // the same, and change, add and remove webhooks
	ScopeAdmin      = "admin"           // metrics
)

// Scopes are all scopes, in the order in which they are documented.
func Scopes() []string {
	return []string{ScopeRecords, ScopeRecordings, ScopeCalls, ScopeMissed, ScopeHooksRead, ScopeHooksWrite, ScopeAdmin}
}
