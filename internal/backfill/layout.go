package backfill

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/voipd/voipd/record"
)

// Options say what a file of rows looks like. The zero value takes the usual
// layouts, or the names in a first line that has them, and times in UTC.
type Options struct {
	// Columns are the names of a row's columns, in order, as the tables of
	// Asterisk call them (CEL: eventtype, channame, …; CDR: channel, start, …).
	// A name that is not known is a column that is not read. Nil: each row is
	// read by the first of the built-in layouts that fits it.
	Columns []string
	// Zone is the zone of times that are written as dates. Nil: UTC. Of the hour
	// that comes twice in autumn, such a time names the first.
	Zone *time.Location
}

// Stats says what a file held.
type Stats struct {
	Rows      int     // rows that were read
	Events    int     // facts that were made of them
	Malformed int     // rows that could not be read; each cost only itself
	Skipped   Skipped // the same, by why
}

// CELLayouts are the built-in layouts of CEL rows: that of the captures, and
// what Asterisk's sample of cel_custom.conf writes to Master.csv.
func CELLayouts() [][]string {
	return [][]string{
		{"eventtype", "eventtime", "cid_name", "cid_num", "cid_ani", "cid_rdnis", "cid_dnid", "exten", "context", "channame", "appname",
			"appdata", "uniqueid", "linkedid", "peer", "userdeftype", "extra"},
		{"eventtype", "eventtime", "cid_name", "cid_num", "cid_ani", "cid_rdnis", "cid_dnid", "exten", "context", "channame", "appname",
			"appdata", "amaflags", "accountcode", "uniqueid", "linkedid", "peer", "userfield", "userdeftype", "extra"},
		{"eventtype", "eventtime", "cid_name", "cid_num", "cid_ani", "cid_rdnis", "cid_dnid", "exten", "context", "channame", "appname",
			"appdata", "amaflags", "accountcode", "uniqueid", "linkedid", "peer", "userdeftype", "extra"},
	}
}

// CDRLayouts are the built-in layouts of CDR rows: that of the captures; what
// Asterisk's sample of cdr_custom.conf writes; and cdr_csv's Master.csv with
// each of its options (loguniqueid, loguserfield, newcdrcolumns).
func CDRLayouts() [][]string {
	custom := []string{"clid", "src", "dst", "dcontext", "channel", "dstchannel", "lastapp", "lastdata", "start", "answer", "end",
		"duration", "billsec", "disposition", "amaflags", "accountcode", "uniqueid"}
	master := []string{"accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp", "lastdata", "start", "answer",
		"end", "duration", "billsec", "disposition", "amaflags"}
	fresh := []string{"peeraccount", "linkedid", "sequence"}
	return [][]string{
		slices.Concat(custom, []string{"linkedid", "sequence", "peeraccount", "recordingfile"}),
		slices.Concat(custom, []string{"userfield", "sequence"}),
		slices.Concat(master, []string{"uniqueid", "userfield"}, fresh),
		slices.Concat(master, []string{"uniqueid"}, fresh),
		slices.Concat(master, []string{"uniqueid", "userfield"}),
		slices.Concat(master, []string{"uniqueid"}),
		master,
	}
}

// layout is where each column stands in a row.
type layout struct {
	columns int
	place   map[string]int
}

func newLayout(names []string) layout {
	l := layout{columns: len(names), place: make(map[string]int, len(names))}
	for i, name := range names {
		name = strings.ToLower(strings.TrimSpace(name))
		l.place[name] = i
		for _, ours := range otherNames() {
			if ours[1] == name {
				l.place[ours[0]] = i
			}
		}
	}
	return l
}

// otherNames are columns, each with another name that Asterisk's own samples give
// it (cel_sqlite3_custom.conf, cel_custom.conf).
func otherNames() [][2]string {
	return [][2]string{{"cid_name", "cidname"}, {"cid_num", "cidnum"}, {"extra", "eventextra"}}
}

// get is the value of a column; empty where the layout has none.
func (l layout) get(cells []string, name string) string {
	if i, ok := l.place[name]; ok {
		return strings.TrimRight(cells[i], " ") // a column of type CHAR is padded
	}
	return ""
}

// has tells whether rows have a column of that name.
func (l layout) has(name string) bool {
	_, is := l.place[name]
	return is
}

// header gives the layout that a first line states, if it is one: the names
// that every kind of row must have.
func header(cells []string, must ...string) (layout, bool) {
	l := newLayout(cells)
	for _, name := range must {
		if _, ok := l.place[name]; !ok {
			return layout{}, false
		}
	}
	return l, true
}

// shape finds the layout of each row of one file.
type shape[R any] struct {
	layouts []layout // the one that fitted last stands first
	must    []string // columns that a line of names has
	read    func(l layout, cells []string) (R, error)
	first   bool   // no row was read yet
	comma   string // what separates cells
	cells   []string
}

func newShape[R any](o Options, usual [][]string, must []string, read func(layout, []string) (R, error)) *shape[R] {
	if o.Columns != nil {
		usual = [][]string{o.Columns}
	}
	s := &shape[R]{must: must, read: read, first: true, comma: ","}
	for _, names := range usual {
		s.layouts = append(s.layouts, newLayout(names))
	}
	return s
}

// line reads a line. The first one may begin with a byte order mark, and where its
// names are separated by semicolons, so are all cells.
func (s *shape[R]) line(line string) (r R, ok bool, err error) {
	if s.first {
		line = strings.TrimPrefix(line, "\ufeff")
		if names, err := split(nil, line, ";"); err == nil {
			if _, is := header(names, s.must...); is {
				s.comma = ";"
			}
		}
	}
	if s.cells, err = split(s.cells[:0], line, s.comma); err != nil {
		return r, false, err
	}
	return s.row(s.cells)
}

// row reads a row by the first layout that fits it. ok is false for a line of
// column names, which says what follows.
func (s *shape[R]) row(cells []string) (r R, ok bool, err error) {
	first := s.first
	s.first = false
	if l, is := header(cells, s.must...); first && is {
		s.layouts = append([]layout{l}, s.layouts...)
		return r, false, nil
	}
	for i, l := range s.layouts {
		if l.columns != len(cells) {
			continue
		}
		r, bad := s.read(l, cells)
		if bad == nil {
			s.layouts[0], s.layouts[i] = s.layouts[i], s.layouts[0]
			return r, true, nil
		}
		if err == nil { // the layout that fitted last comes first
			err = bad
		}
	}
	if err == nil {
		err = unread(SkipColumns, "read row: no layout has %d columns", len(cells))
	}
	return r, false, err
}

// firstYear and lastYear bound the times of rows. A clock without a battery begins
// in 1970. What lies further away is no time: the length of a call that begins in
// this century and ends 292 years later is more than a time.Duration holds.
const firstYear, lastYear = 1970, 2199

// when reads a time: seconds since 1970 with or without a fraction, or a date
// and a time of day in zone, with or without a fraction. One outside the years
// from firstYear to lastYear is an error.
func when(s string, zone *time.Location) (time.Time, error) {
	t, err := readTime(s, zone)
	if err == nil && (t.Year() < firstYear || t.Year() > lastYear) {
		return time.Time{}, unread(SkipTime, "read time %q: want a year from %d to %d", s, firstYear, lastYear)
	}
	return t, err
}

func readTime(s string, zone *time.Location) (time.Time, error) {
	if s == "" {
		return time.Time{}, unread(SkipTime, "read time: it is empty")
	}
	if whole, fraction, _ := strings.Cut(s, "."); record.Digits(whole) {
		sec, err := strconv.ParseInt(whole, 10, 64)
		if err != nil || len(whole) > 11 || !record.Digits(fraction) && fraction != "" {
			return time.Time{}, unread(SkipTime, "read time %q: want seconds since 1970", s)
		}
		nano, _ := strconv.ParseInt((fraction + "000000000")[:9], 10, 64) // nine digits
		return time.Unix(sec, nano).UTC(), nil
	}
	if zone == nil {
		zone = time.UTC
	}
	for _, form := range [...]string{time.DateTime, time.RFC3339, "2006-01-02T15:04:05"} {
		if t, err := time.ParseInLocation(form, s, zone); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, unread(SkipTime, "read time %q: want seconds since 1970 or YYYY-MM-DD HH:MM:SS", s)
}
