package backfill

import (
	"cmp"
	"encoding/json"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/voipd/voipd/record"
)

// celRow is a row of CEL, as far as calls go.
type celRow struct {
	event, name, number, exten, context string
	channel, app, data, id, linked      string
	peer                                string // Asterisk 11 and older: who is bridged
	extra                               string
	at                                  time.Time
	asked                               bool // not a row of its own, but what another tells too late: see release
}

// celExtra is what Asterisk puts into the column extra, for all kinds of rows.
type celExtra struct {
	BridgeID         string `json:"bridge_id"`
	BridgeTechnology string `json:"bridge_technology"`
	HangupCause      int    `json:"hangupcause"`
	HangupSource     string `json:"hangupsource"`
	DialStatus       string `json:"dialstatus"`
	Extension        string `json:"extension"`
	Context          string `json:"context"`
	Transferee       string `json:"transferee_channel_uniqueid"`
	TransfereeName   string `json:"transferee_channel_name"`
	SecondID         string `json:"channel2_uniqueid"`
	SecondName       string `json:"channel2_name"`
	PickupID         string `json:"pickup_channel_uniqueid"`
	PickupName       string `json:"pickup_channel"`
	Parker           string `json:"parker_dial_string"`
	Retriever        string `json:"retriever"`
	Reason           string `json:"reason"`
	LocalTwo         string `json:"local_two"`
	LocalTwoID       string `json:"local_two_uniqueid"`
}

// ReadCEL reads CEL rows, oldest first, from CSV and calls each for every fact
// in them, in the order of their times. Rows may be up to a second out of order
// and may come twice. A row that cannot be read is counted and costs only
// itself; the error is of r.
func ReadCEL(r io.Reader, o Options, each func(record.Event)) (Stats, error) {
	t := newCELReader(each)
	shape := newShape(o, CELLayouts(), []string{"eventtype", "uniqueid"}, func(l layout, cells []string) (celRow, error) {
		return readCELRow(l, cells, o.Zone)
	})
	stats, err := readRows(r, shape, t.push)
	stats.Events = t.flush()
	return stats, err
}

// celReader takes in CEL rows, oldest first, and tells the facts in them.
type celReader struct {
	calls  *celCalls
	order  *celOrder
	events []record.Event
	told   int
	each   func(record.Event)
}

func newCELReader(each func(record.Event)) *celReader {
	return &celReader{calls: newCELCalls(), order: &celOrder{}, each: each}
}

func (t *celReader) push(row celRow) {
	if t.order.newest.Sub(row.at) > setBack {
		t.clockSet(row.at)
	}
	t.order.push(row, t.tell)
}

// clockSet tells that the clock was set before a row of that time; by how much,
// but for the time since the row before, which no row says.
func (t *celReader) clockSet(at time.Time) {
	newest := t.order.newest
	if newest.IsZero() || at.Equal(newest) {
		return // no row of this reading was written before, or it was told
	}
	t.order.flush(t.tell)
	t.order.newest = at
	t.told++
	t.each(record.Event{At: at, Kind: record.ClockSet, Source: record.SourceCEL, Age: at.Sub(newest)})
}

func (t *celReader) tell(row celRow) {
	t.events = t.calls.row(t.events[:0], row)
	t.told += len(t.events)
	for _, e := range t.events {
		t.each(e)
	}
}

// flush tells what was held back, and gives how many facts were told in all.
func (t *celReader) flush() int {
	t.order.flush(t.tell)
	for _, e := range t.calls.flush(nil) {
		t.told++
		t.each(e)
	}
	return t.told
}

// ended tells the ends of channels that no row tells: those that are silent
// since the PBX listed its channels, and those whose rows were written by a
// clock that was ahead. Only after flush.
func (t *celReader) ended(listed time.Time) {
	for _, e := range t.calls.silent(nil, listed, func(last time.Time) bool { return last.Before(listed) || last.Sub(listed) > ahead }) {
		t.told++
		t.each(e)
	}
}

// before is a time such that everything before it is told.
func (t *celReader) before() time.Time { return t.order.newest.Add(-2 * window) }

func readCELRow(l layout, cells []string, zone *time.Location) (r celRow, err error) {
	if r.at, err = when(l.get(cells, "eventtime"), zone); err != nil {
		return r, err
	}
	r.event, r.name, r.number = eventName(l.get(cells, "eventtype")), l.get(cells, "cid_name"), l.get(cells, "cid_num")
	r.exten, r.context, r.channel = l.get(cells, "exten"), l.get(cells, "context"), l.get(cells, "channame")
	r.app, r.data, r.extra = l.get(cells, "appname"), l.get(cells, "appdata"), l.get(cells, "extra")
	r.id, r.linked, r.peer = l.get(cells, "uniqueid"), l.get(cells, "linkedid"), l.get(cells, "peer")
	if r.event == "" || r.id == "" || r.channel == "" {
		return r, unread(SkipUnnamed, "read CEL row: no event, channel or uniqueid")
	}
	if r.extra != "" {
		if _, err := readExtra(r.extra); err != nil {
			return r, unread(SkipExtra, "read CEL row: extra: %w", err)
		}
	}
	return r, nil
}

// eventName is the name of a row's event: some tables have its number
// (include/asterisk/cel.h, Asterisk 12+). What is neither stays as it is.
func eventName(s string) string {
	names := [...]string{1: "CHAN_START", "CHAN_END", "HANGUP", "ANSWER", "APP_START", "APP_END", "BRIDGE_ENTER", "BRIDGE_EXIT",
		"PARK_START", "PARK_END", "BLINDTRANSFER", "ATTENDEDTRANSFER", "USER_DEFINED", "LINKEDID_END", "PICKUP", "FORWARD", "LOCAL_OPTIMIZE"}
	if n, err := strconv.Atoi(s); err == nil && n > 0 && n < len(names) {
		return names[n]
	}
	return s
}

// more reads the column extra, which was found sound when the row was read.
func (r celRow) more() (x celExtra) {
	if r.extra != "" {
		x, _ = readExtra(r.extra) // readCELRow has reported it
	}
	return x
}

// readExtra reads the column extra: JSON, or of a HANGUP of Asterisk 11 and older
// "CAUSE,SOURCE,DIALSTATUS".
func readExtra(s string) (x celExtra, err error) {
	if parts := strings.Split(s, ","); len(parts) == 3 && record.Digits(parts[0]) {
		x.HangupCause, err = strconv.Atoi(parts[0])
		x.HangupSource, x.DialStatus = parts[1], parts[2]
		return x, err
	}
	err = json.Unmarshal([]byte(s), &x)
	return x, err
}

// The order of rows: those within window of the newest wait, so that one that
// comes late finds its place; at most waiting of them, of which the oldest then
// goes on.
const (
	window  = time.Second
	waiting = 8192
)

// follows is how soon after somebody hung up his channel is out of its bridge,
// and the channels rung for him end: within 3 ms in the captures.
const follows = 250 * time.Millisecond

// celOrder puts rows in the order of their times.
type celOrder struct {
	rows   []celRow
	gone   int // how many of rows were given on
	newest time.Time
}

// setBack is how far a row's time has to be before that of rows written earlier
// for the clock to have been set back in between. In rows that were sorted by
// time it never is.
const setBack = 2 * time.Minute

// ahead is how far behind the list of channels a row's time may be and still be
// that of a call which began after it.
const ahead = 10 * time.Minute

func (o *celOrder) push(r celRow, each func(celRow)) {
	i := len(o.rows)
	for i > o.gone && before(r, o.rows[i-1]) {
		i--
	}
	o.rows = append(o.rows, celRow{})
	copy(o.rows[i+1:], o.rows[i:])
	o.rows[i] = r
	if r.at.After(o.newest) {
		o.newest = r.at
	}
	for o.gone < len(o.rows) && (o.newest.Sub(o.rows[o.gone].at) > window || len(o.rows)-o.gone > waiting) {
		o.release(o.gone, each)
		o.gone++
	}
	if o.gone > len(o.rows)/2 {
		o.rows, o.gone = slices.Delete(o.rows, 0, o.gone), 0
	}
}

func (o *celOrder) flush(each func(celRow)) {
	for n := o.gone; n < len(o.rows); n++ {
		o.release(n, each)
	}
	o.rows, o.gone = nil, 0
}

// release gives the row n on, and before it, where CEL tells it too late, that
// somebody hung up: he did so before he left his bridge, and before the
// channels ended that were rung for him, but the row of it comes after theirs.
func (o *celOrder) release(n int, each func(celRow)) {
	r := o.rows[n]
	if r.event == "HANGUP" || r.event == "BRIDGE_EXIT" {
		for _, later := range o.rows[n+1:] {
			if later.at.Sub(r.at) > follows {
				break
			}
			if later.event == "HANGUP" && later.explains(r) {
				later.asked, later.at = true, r.at
				each(later)
			}
		}
	}
	each(r)
}

// explains tells whether r comes of what a HANGUP tells: its channel hung up by itself,
// or gave up a dialling.
func (later celRow) explains(r celRow) bool {
	if r.event == "BRIDGE_EXIT" && r.id != later.id || r.linked != later.linked {
		return false
	}
	x := later.more()
	return r.event == "BRIDGE_EXIT" && x.HangupSource == later.channel || r.event == "HANGUP" && x.DialStatus == "CANCEL"
}

// before is the order of two rows: by time; at one microsecond, a channel's
// beginning first and its end last. Times in whole seconds (some databases
// keep no more) say nothing of the order within, and it stays as it was.
func before(a, b celRow) bool {
	if !a.at.Equal(b.at) || a.at.Nanosecond() == 0 {
		return a.at.Before(b.at)
	}
	return cmp.Less(rank(a.event), rank(b.event))
}

func rank(event string) int {
	switch event {
	case "CHAN_START":
		return 0
	case "HANGUP":
		return 2
	case "CHAN_END":
		return 3
	case "LINKEDID_END":
		return 4
	}
	return 1
}
