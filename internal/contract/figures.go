package contract

import "time"

// Tally counts calls. docs/figures.md says what counts where.
type Tally struct {
	Calls       int   `json:"calls" example:"120"`
	Answered    int   `json:"answered" doc:"Of calls"`
	In          int   `json:"in" doc:"Of calls: from outside"`
	InAnswered  int   `json:"inAnswered" doc:"Of in: answered"`
	Out         int   `json:"out" doc:"Of calls: to outside"`
	OutAnswered int   `json:"outAnswered" doc:"Of out: answered"`
	TalkSeconds int64 `json:"talkSeconds" doc:"Whole seconds of conversation"`
}

// Total is the tally of a whole time, and how fast calls from outside were answered.
type Total struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	Tally
	AnsweredShare  *float64 `json:"answeredShare,omitempty" doc:"Of the calls from outside; absent where there were none" example:"0.93"`
	AnswerMedianMS int64    `json:"answerMedianMs" doc:"Half of the answered calls from outside waited at most so long for their answer, to a tenth of a second and an hour at most; 0 where there were none"`
	AnswerP90MS    int64    `json:"answerP90Ms" doc:"The same of nine in ten"`
}

// Figures are what the records of a time come to.
type Figures struct {
	Zone      string       `json:"zone" doc:"Of hours and days" example:"Europe/Moscow"`
	Total     Total        `json:"total"`
	Before    Total        `json:"before" doc:"Of as long a time before, with the same filters"`
	Hours     []HourTally  `json:"hours" nullable:"false" doc:"By hour of the day, all 24"`
	Days      []DayTally   `json:"days" nullable:"false" doc:"By day, each that the time touches"`
	Operators []NamedTally `json:"operators" nullable:"false" doc:"By the operator who called, talked first, or was rung first where nobody talked; the 200 with most calls"`
	Queues    []NamedTally `json:"queues" nullable:"false" doc:"By queue, the 200 with most calls"`
	DIDs      []NamedTally `json:"dids" nullable:"false" doc:"By the number of the PBX that was called, the 200 with most calls"`
	Waits     []Wait       `json:"longestWaits" nullable:"false" doc:"The ten calls from outside that waited longest, for their answer or in vain"`
}

// HourTally is the tally of an hour of the day.
type HourTally struct {
	Hour int `json:"hour" minimum:"0" maximum:"23"`
	Tally
}

// DayTally is the tally of a day.
type DayTally struct {
	Day string `json:"day" example:"2026-11-26"`
	Tally
}

// NamedTally is the tally of an operator, a queue or a DID.
type NamedTally struct {
	Name string `json:"name"`
	Tally
}

// Wait is how long a call from outside waited.
type Wait struct {
	CallID      string    `json:"callId"`
	SrcPhone    string    `json:"srcPhone"`
	DstPhone    string    `json:"dstPhone"`
	StartedAt   time.Time `json:"startedAt"`
	WaitMS      int64     `json:"waitMs"`
	Disposition string    `json:"disposition" enum:"answered,no_answer,cancelled,busy,failed,unknown"`
}
