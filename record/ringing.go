package record

import "slices"

// The outcomes of a ringing, as the record's details name them.
const (
	rangAnswered  = "answered"
	rangNoAnswer  = "no_answer"
	rangBusy      = "busy"
	rangFailed    = "failed"
	rangCancelled = "cancelled"
	rangElsewhere = "elsewhere"
	rangRinging   = "ringing"
)

// What a DialStatus would say where no DialEnd came.
const (
	notToldUp      = "(none, line up)"
	notToldRinging = "(none, rings)"
	notToldOver    = "(none, channel gone)"
)

// ringingEnd is what decides the outcome of one ringing.
type ringingEnd struct {
	status string // DialStatus of DialEnd, or one of the three above
	cause  int    // hangup cause of the rung channel, Q.850
	call   callSide
}

// callSide says what happened to the rest of the call.
type callSide uint8

const (
	anyCall   callSide = iota
	talked             // the call has a conversation
	cancelled          // the calling side hung up before any, while the call was on its way to somebody
)

// ringingRow is a row of ringingTable. An empty column fits everything.
type ringingRow struct {
	status  []string
	causes  []int
	call    callSide
	outcome string
	why     string
}

// ringingTable says how a ringing ended. The first row that fits wins; the last
// one always fits.
var ringingTable = []ringingRow{
	{status: []string{"ANSWER", notToldUp}, outcome: rangAnswered, why: "the phone answered"},
	{status: []string{notToldRinging}, outcome: rangRinging, why: "the phone still rings"},
	{causes: []int{26}, outcome: rangElsewhere, why: "cause 26 says that another phone of the group answered"},
	{status: []string{"BUSY"}, outcome: rangBusy, why: "the phone was busy"},
	{causes: []int{17, 21}, outcome: rangBusy, why: "causes 17 and 21 say that the phone was busy or refused"},
	{status: []string{"CONGESTION", "CHANUNAVAIL"}, outcome: rangFailed, why: "the phone could not be reached"},
	{status: []string{"CANCEL"}, call: talked, outcome: rangElsewhere, why: "the ringing was cancelled because somebody else talks"},
	{status: []string{"CANCEL"}, call: cancelled, outcome: rangCancelled, why: "the calling side hung up"},
	{status: []string{"CANCEL"}, outcome: rangNoAnswer, why: "the PBX stopped ringing the phone"},
	{status: []string{notToldOver}, causes: []int{0, 16, 18, 127}, call: talked, outcome: rangElsewhere,
		why: "a pickup takes the call from a phone without a DialEnd"},
	{causes: []int{0, 16, 18, 19, 127}, outcome: rangNoAnswer, why: "the time ran out, or the phone gave no reply"},
	{outcome: rangFailed, why: "every other cause says that the phone could not be reached"},
}

func (r *ringingRow) fits(e ringingEnd) bool {
	return (r.status == nil || slices.Contains(r.status, e.status)) && (r.causes == nil || slices.Contains(r.causes, e.cause)) &&
		(r.call == anyCall || r.call == e.call)
}

// decide is the first row that fits.
func (e ringingEnd) decide() ringingRow {
	i := slices.IndexFunc(ringingTable, func(row ringingRow) bool { return row.fits(e) })
	return ringingTable[i]
}

// outcome is how a ringing of the call ended.
func (c *call) outcome(a *attempt) string { return c.ending(a).decide().outcome }

// ending is what decides the outcome of a ringing of the call.
func (c *call) ending(a *attempt) ringingEnd {
	e := ringingEnd{status: a.status, cause: a.ch.cause}
	switch {
	case a.status != "":
	case !a.ch.up.IsZero():
		e.status = notToldUp
	case a.ended.IsZero():
		e.status = notToldRinging
	default:
		e.status = notToldOver
	}
	switch {
	case len(c.talks) > 0:
		e.call = talked
	case c.cancelled || c.quit():
		e.call = cancelled
	}
	return e
}
