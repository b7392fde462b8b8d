package contract

import (
	"encoding/json"
	"hash/fnv"
	"time"
)

// This file is what an edge, a voipd beside a PBX, and a centre say to each other:
// POST /v1/ship takes lines of JSON, packed by zstd, of which the first is a
// [ShipHead] and each further one a [ShipRecord]; the answer is a [Place].

const (
	// MostShipped is how many records a batch has at most.
	MostShipped = 500
	// MostGone is how many calls a batch says to be gone at most.
	MostGone = 4 * MostShipped
	// MostShippedBytes is how long a batch is at most before it is packed. An edge
	// ends a batch before that; one record never comes near it.
	MostShippedBytes = 16 << 20
)

// ShipHead is the first line of a batch.
type ShipHead struct {
	Batch    int64     `json:"batch"`            // number of the batch among those of this PBX: one more than [Place].Batch
	ID       string    `json:"id"`               // told at random; see [Place].ID
	Instance string    `json:"instance"`         // name of the edge's database
	After    int64     `json:"after"`            // the batch follows on this change of the edge's change log ...
	UpTo     int64     `json:"upTo"`             // ... and ends with this one; the same: it has none
	Mark     string    `json:"mark"`             // of the change UpTo; see [Place].Mark
	Begin    bool      `json:"begin,omitempty"`  // the place at the centre is void: another database, or what came before is not kept
	Synced   bool      `json:"synced,omitempty"` // with this batch all that differed has been sent
	Waiting  int64     `json:"waiting"`          // how many changes wait behind this batch
	Oldest   time.Time `json:"oldest,omitzero"`  // since when the oldest of them does
	Version  string    `json:"version"`          // of the edge's voipd
	Gone     []Gone    `json:"gone,omitempty"`   // calls of this PBX that have no record at the edge any more
}

// Gone is a call whose record is to go: it was forgotten, or turned out to be part of
// another. What went at the edge because it was old is no such call.
type Gone struct {
	CallID string `json:"callId"`
	Into   string `json:"into,omitempty"` // the call that it was part of; empty: it was forgotten, and is never to come back
}

// ShipRecord is a record as its edge has it now. Details are those of [Record]
// without recordings, as the edge's database keeps them; recordings have the paths of
// the PBX.
type ShipRecord struct {
	CallID      string          `json:"callId"`
	StartedAt   time.Time       `json:"startedAt"`
	Direction   string          `json:"direction"`
	Disposition string          `json:"disposition"`
	SrcPhone    string          `json:"srcPhone"`
	SrcPhoneExt string          `json:"srcPhoneExt,omitempty"`
	DstPhone    string          `json:"dstPhone"`
	DstPhoneExt string          `json:"dstPhoneExt,omitempty"`
	Duration    int             `json:"duration"`
	Details     json.RawMessage `json:"details"`
	Recordings  []Recording     `json:"recordings,omitempty"`
}

// Place is how far a centre has all of a PBX: what it answers is on its disk.
type Place struct {
	PBX      string    `json:"pbx"`               // the PBX's name at the centre
	Batch    int64     `json:"batch"`             // number of the last batch; 0: none came yet
	ID       string    `json:"id"`                // of that batch: an edge whose batch it is not has a double
	Instance string    `json:"instance"`          // of the edge's database that sent it
	Seq      int64     `json:"seq"`               // last change of the edge's change log that is in it
	Mark     string    `json:"mark"`              // of that change: an edge that was restored from a backup has another change there
	Sync     bool      `json:"sync,omitempty"`    // the edge is to compare its records with the centre's
	Refused  []Refused `json:"refused,omitempty"` // records of the batch that were not taken
}

// Refused is a record that a centre did not take, and never will as it is.
type Refused struct {
	CallID string `json:"callId"`
	Why    string `json:"why"`
}

// ShipHour is what a centre has of an hour of a PBX, by the start of its calls.
type ShipHour struct {
	At    time.Time `json:"at"`    // the hour begins
	Count int64     `json:"count"` // records
	Sum   int64     `json:"sum"`   // of [ShipSum] of each
}

// ShipHours is the answer to GET /v1/ship/hours?from=&to=: hours without records are
// left out.
type ShipHours struct {
	Hours []ShipHour `json:"hours"`
}

// ShipSum is a checksum of a line of a batch, below 2^40, so that sums of eight
// million of them fit into 63 bits.
func ShipSum(line []byte) int64 {
	h := fnv.New64a()
	_, _ = h.Write(line) // it never fails
	return int64(h.Sum64() >> 24)
}

// PBX is one of a tenant's, and how far its records are at the centre.
type PBX struct {
	Name      string    `json:"name" example:"berlin"`
	State     string    `json:"state" enum:"current,behind,silent,new" doc:"behind: changes wait at the edge. silent: it has said nothing for two minutes. new: it never has"`
	Waiting   int64     `json:"waiting" doc:"Changes that waited at the edge when it was last heard"`
	Oldest    time.Time `json:"oldest,omitzero" doc:"Since when the oldest of them did"`
	LastSeen  time.Time `json:"lastSeen,omitzero" doc:"When the last batch came; an edge with nothing to tell sends an empty one each half minute"`
	Comparing bool      `json:"comparing,omitempty" doc:"The edge compares its records with those here, as after a restore"`
	Version   string    `json:"version,omitempty" doc:"Of the edge's voipd"`
}

// The values of [PBX].State.
const (
	PBXCurrent = "current"
	PBXBehind  = "behind"
	PBXSilent  = "silent"
	PBXNew     = "new"
)

// Joining is what an edge sends to POST /v1/join to become one.
type Joining struct {
	Code string `json:"code"`
}

// Joined is the answer: the token is shown nowhere else.
type Joined struct {
	Tenant string `json:"tenant"`
	PBX    string `json:"pbx"`
	Token  string `json:"token"`
}
