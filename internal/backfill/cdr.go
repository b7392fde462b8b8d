package backfill

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/voipd/voipd/record"
)

// cdrRow is a row of CDR, as far as calls go. Its times have whole seconds.
type cdrRow struct {
	src, dst, context, channel, peer string
	did                              string // FreePBX has a column of that name; its cnum is the caller where src is what the PBX showed
	app, data, disposition           string
	id, linked, file                 string
	start, answer, end               time.Time // answer is zero where nobody answered
	sequence                         int
	taken, taker                     bool // somebody took the call from the phone that it rang; it is of who did
}

// ReadCDR reads CDR rows from CSV, in the order in which Asterisk wrote them,
// and calls each for every fact in them: call by call, in the order of time
// within each. A row that cannot be read is counted and costs only itself; the
// error is of r.
//
// The rows of one call may come hours apart: they are put together as long as
// they come within twelve hours of its latest, and no more than 20,000 calls
// wait, of which the oldest is then told as it stands. Where rows have no
// linkedid, each uniqueid is a call, or, without that, each channel; rows that
// share a channel, or the halves of a Local channel, are one all the same.
func ReadCDR(r io.Reader, o Options, each func(record.Event)) (Stats, error) {
	t := newCDRReader(each)
	shape := newShape(o, CDRLayouts(), []string{"channel", "dstchannel"}, func(l layout, cells []string) (cdrRow, error) {
		return readCDRRow(l, cells, o.Zone)
	})
	stats, err := readRows(r, shape, t.push)
	stats.Events = t.flush()
	return stats, err
}

// cdrReader takes in CDR rows and tells the facts in them, call by call.
type cdrReader struct {
	groups *cdrGroups
	told   int
	each   func(record.Event)
}

func newCDRReader(each func(record.Event)) *cdrReader {
	return &cdrReader{groups: newCDRGroups(), each: each}
}

func (t *cdrReader) push(row cdrRow) { t.groups.push(row, t.tell) }

func (t *cdrReader) tell(rows []cdrRow) {
	for _, e := range cdrCall(rows) {
		t.told++
		t.each(e)
	}
}

// flush tells the calls that waited for more rows, and gives how many facts
// were told in all.
func (t *cdrReader) flush() int {
	t.groups.flush(t.tell)
	return t.told
}

// before is a time such that every call that began before it is told.
func (t *cdrReader) before() time.Time {
	for _, g := range t.groups.order {
		if g.into == nil && len(g.rows) > 0 {
			return g.rows[0].start
		}
	}
	return time.Time{}
}

func readCDRRow(l layout, cells []string, zone *time.Location) (r cdrRow, err error) {
	start := l.get(cells, "start")
	if start == "" {
		start = l.get(cells, "calldate")
	}
	if r.start, err = when(start, zone); err != nil {
		return r, err
	}
	r.src, r.dst, r.context, r.did = l.get(cells, "src"), l.get(cells, "dst"), l.get(cells, "dcontext"), l.get(cells, "did")
	if !l.has("src") {
		r.src = callerNumber(l.get(cells, "clid"))
	}
	r.src = cmp.Or(l.get(cells, "cnum"), r.src)
	r.channel, r.peer, r.disposition = l.get(cells, "channel"), l.get(cells, "dstchannel"), dispositionOf(l.get(cells, "disposition"))
	r.app, r.data, r.file = l.get(cells, "lastapp"), l.get(cells, "lastdata"), l.get(cells, "recordingfile")
	r.id, r.linked = l.get(cells, "uniqueid"), l.get(cells, "linkedid")
	r.id = cmp.Or(r.id, r.channel+"@"+strconv.FormatInt(r.start.Unix(), 10))
	r.linked = cmp.Or(r.linked, r.id)
	r.sequence, _ = strconv.Atoi(l.get(cells, "sequence")) // none: the order of the rows
	if err = r.ends(l, cells, zone); err != nil {
		return r, err
	}
	if r.end.Before(r.start) || r.answer.After(r.end) || !r.answer.IsZero() && r.answer.Before(r.start) {
		return r, unread(SkipOrder, "read CDR row: it ends before it begins")
	}
	if r.channel == "" || !known(r.disposition) {
		return r, unread(SkipUnnamed, "read CDR row: no channel or no disposition")
	}
	return r, nil
}

// ends reads when the row's channel was answered and when the row ends.
func (r *cdrRow) ends(l layout, cells []string, zone *time.Location) (err error) {
	whole, counted := secondsIn(l.get(cells, "duration"))
	talk, billed := secondsIn(l.get(cells, "billsec"))
	r.end, err = when(l.get(cells, "end"), zone)
	if err != nil && !counted {
		return fmt.Errorf("read CDR row: neither an end nor a duration: %w", err)
	}
	set := err == nil && counted && (r.end.Sub(r.start)-whole).Abs() > clockSetBy
	if err != nil || set {
		r.end = r.start.Add(whole)
	}
	if r.disposition != "ANSWERED" {
		return nil
	}
	answer := l.get(cells, "answer")
	if billed && (answer == "" || set) {
		r.answer = r.end.Add(-talk)
	} else if answer != "" {
		r.answer, err = when(answer, zone)
		return err
	}
	return nil
}

// clockSetBy is by how much the times of a row have to disagree with its duration
// for the clock to have been set in between, such as in the hour that comes twice
// in autumn: the duration is right then.
const clockSetBy = 10 * time.Minute

// secondsIn reads a count of seconds.
func secondsIn(s string) (time.Duration, bool) {
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || !(n >= 0 && n < 1e7) {
		return 0, false
	}
	return time.Duration(n * float64(time.Second)), true
}

// dispositionOf is a row's disposition as Asterisk writes it: MikoPBX has its own
// way.
func dispositionOf(s string) string {
	if s == "NOANSWER" {
		return "NO ANSWER"
	}
	return s
}

// callerNumber takes the number out of a caller ID: `"Ann" <79034440011>`.
func callerNumber(clid string) string {
	_, number, named := strings.Cut(clid, "<")
	if !named {
		return strings.Trim(clid, `" `)
	}
	number, _, _ = strings.Cut(number, ">")
	return number
}

func known(disposition string) bool {
	return slices.Contains([]string{"ANSWERED", "NO ANSWER", "BUSY", "FAILED", "CONGESTION"}, disposition)
}

// conference tells whether the row's two channels met in a conference, to which
// each came by a call of its own.
func (r cdrRow) conference() bool {
	return strings.EqualFold(r.app, "ConfBridge") || strings.EqualFold(r.app, "MeetMe")
}
