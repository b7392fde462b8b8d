package contract

import (
	"slices"
	"time"
)

// Health is the state of voipd. Status is "ok", or "failing" where records are not
// being written as calls happen; Problems say why and what to do.
type Health struct {
	Status    string         `json:"status" enum:"ok,starting,failing"`
	Problems  []string       `json:"problems,omitempty" nullable:"false"`
	Version   string         `json:"version"`
	StartedAt time.Time      `json:"startedAt"`
	AMI       *LinkHealth    `json:"ami,omitempty" doc:"Where voipd listens to AMI"`
	ARI       *LinkHealth    `json:"ari,omitempty" doc:"Where voipd listens to ARI"`
	LastEvent time.Time      `json:"lastEvent,omitzero" doc:"When the latest fact happened on the PBX"`
	OpenCalls int            `json:"openCalls"`
	Queue     QueueHealth    `json:"queue"`
	Store     StoreHealth    `json:"store"`
	Webhooks  *WebhookHealth `json:"webhooks,omitempty" doc:"Where there are any"`

	Quarantine *QuarantineHealth `json:"quarantine,omitempty" doc:"Where facts are set aside"`
	Repair     *RepairHealth     `json:"repair,omitempty" doc:"Where voipd reads CEL or CDR for what it missed"`
	Centre     *CentreHealth     `json:"centre,omitempty" doc:"Where records are shipped to a centre"`
	Warnings   []Warning         `json:"warnings,omitempty" nullable:"false" doc:"Problems that do not stop records from being written"`
}

// Status is the part of Health that needs no token.
type Status struct {
	Status string `json:"status" enum:"ok,starting,failing"`
}

// Warning is a problem that does not stop records from being written. Its code
// never changes; its text may.
type Warning struct {
	Code string `json:"code" doc:"Such as backfill-unreadable, pbx-clock, webhooks-parked, webhooks-late, webhooks-failing, webhooks-paused, centre-away, centre-late, centre-refuses, facts-quarantined, behind, many-open-calls, calls-without-end, id-used-twice, retention-waits, store-full, store-read-only, store-locked, store-damaged, store-failing, store-slow, store-moved-aside, store-rebuilding"`
	Text string `json:"text"`
}

// RepairHealth is the state of repairs from CEL and CDR.
type RepairHealth struct {
	Last     time.Time `json:"last,omitzero" doc:"When CEL and CDR were last read well"`
	OpenGaps int       `json:"openGaps" doc:"Gaps for which they have not been read"`
	Since    time.Time `json:"since,omitzero" doc:"When the oldest of these began"`
}

// LinkHealth is the state of the link to the PBX.
type LinkHealth struct {
	State    string    `json:"state" enum:"up,connecting,down"`
	Since    time.Time `json:"since"`
	Reason   string    `json:"reason,omitempty"`
	NextTry  time.Time `json:"nextTry,omitzero"`
	Version  string    `json:"version,omitempty"`
	Warnings []string  `json:"warnings,omitempty" nullable:"false"`
}

// QueueHealth is how many facts wait to be written.
type QueueHealth struct {
	Waiting int   `json:"waiting"`
	Bound   int   `json:"bound"`
	Refused int64 `json:"refused" doc:"Facts refused because the queue was full"`
}

// StoreHealth is the state of the database.
type StoreHealth struct {
	OK         bool      `json:"ok"`
	Error      string    `json:"error,omitempty"`
	LastCommit time.Time `json:"lastCommit,omitzero"`
	Bytes      int64     `json:"bytes,omitempty" doc:"Size of the database's file; absent: unknown"`
	LogBytes   int64     `json:"logBytes,omitempty" doc:"Size of the log beside it"`
	DiskFree   int64     `json:"diskFree,omitempty" doc:"Bytes free for voipd on the database's disk; absent: unknown"`
	DiskBytes  int64     `json:"diskBytes,omitempty" doc:"Size of that disk"`
}

// QuarantineHealth counts the facts that could not be understood and are set aside.
type QuarantineHealth struct {
	Facts  int    `json:"facts"`
	Calls  int    `json:"calls" doc:"Whose records are approximate"`
	Latest string `json:"latest" doc:"One of these calls; GET /v1/records/{callId}/facts?disguised=true gives its facts for a bug report"`
}

// CentreHealth is how shipping records to a centre goes.
type CentreHealth struct {
	OK         bool      `json:"ok"`
	Error      string    `json:"error,omitempty" doc:"Why nothing is shipped"`
	Waiting    int64     `json:"waiting" doc:"Changes that the centre has not"`
	Oldest     time.Time `json:"oldest,omitzero" doc:"Since when the oldest of them waits"`
	LastCommit time.Time `json:"lastCommit,omitzero" doc:"When the centre took the last batch"`
}

// WebhookHealth counts the events that webhooks have not taken.
type WebhookHealth struct {
	Waiting int64     `json:"waiting"`
	Parked  int64     `json:"parked" doc:"Given up until somebody sends them again"`
	Oldest  time.Time `json:"oldest,omitzero" doc:"Since when the oldest waits"`
}

// Warn adds a warning.
func (h *Health) Warn(code, text string) {
	h.Warnings = append(h.Warnings, Warning{Code: code, Text: text})
}

// Warned tells whether there is a warning of that code.
func (h *Health) Warned(code string) bool {
	return slices.ContainsFunc(h.Warnings, func(w Warning) bool { return w.Code == code })
}

// Start notes that voipd is still starting, and how far it is. What fails goes
// before.
func (h *Health) Start(progress string) {
	if h.Status == OK {
		h.Status = Starting
	}
	h.Problems = append(h.Problems, progress)
}

// Fail adds why records are not being written as calls happen, and what to do.
func (h *Health) Fail(problem string) {
	h.Status = Failing
	h.Problems = append(h.Problems, problem)
}

// The values of [Health].Status.
const (
	OK       = "ok"
	Starting = "starting" // the journal is replayed
	Failing  = "failing"
)
