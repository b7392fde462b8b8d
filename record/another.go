package record

import "time"

const (
	// apart is by how much two accounts of voipd itself must miss each other in
	// time to be of two calls.
	apart = time.Minute
	// apartByTables is the same where CEL or CDR tells one: a table whose times are
	// of another zone than is configured is up to 26 hours away.
	apartByTables = 26 * time.Hour
)

// Another tells whether two records under one id are of two calls: a PBX without
// a clock of its own starts at the same time again and gives the same ids, and so
// may a second PBX that writes into the same table.
func Another(kept, told *Record) bool {
	least := apartByTables
	if kept.live() && told.live() {
		least = apart
	}
	a, b := &kept.Details, &told.Details
	if a.StartedAt.IsZero() || b.StartedAt.IsZero() {
		return false // nothing says when it was
	}
	return b.StartedAt.Sub(a.EndedAt) > least || a.StartedAt.Sub(b.EndedAt) > least
}

// live tells whether voipd itself watched the call.
func (r *Record) live() bool {
	return r.Details.Source == SourceAMI.String() || r.Details.Source == SourceARI.String()
}
