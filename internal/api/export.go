package api

import (
	"bufio"
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

// The whole list as one file: what GET /v1/records gives page by page, for
// spreadsheets and for programs that read line by line.
const (
	csvPath    = "/v1/records.csv"
	ndjsonPath = "/v1/records.ndjson"
	csvType    = "text/csv"
	ndjsonType = "application/x-ndjson"
	// exportPage is how many records are in memory at once.
	exportPage = 1000
)

// byAccept lets GET /v1/records and /v1/stats give a file to who asks for one by Accept.
func byAccept(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/records" || r.URL.Path == statsPath {
			kind, _, _ := mime.ParseMediaType(strings.Split(r.Header.Get("Accept"), ",")[0])
			if path := map[string]string{"/v1/records" + csvType: csvPath, "/v1/records" + ndjsonType: ndjsonPath, statsPath + csvType: statsCSVPath}[r.URL.Path+kind]; path != "" {
				r = r.Clone(r.Context())
				r.URL.Path = path
			}
		}
		next.ServeHTTP(w, r)
	})
}

// fileOf describes an answer that is a file.
func fileOf(contentType string) map[string]*huma.Response {
	return map[string]*huma.Response{"200": {Description: "Records", Content: map[string]*huma.MediaType{contentType: {}}}}
}

// ExportInput is what an export may be asked for.
type ExportInput struct {
	Filters
	Fields []string `query:"fields" maxLength:"64" nullable:"false" maxItems:"50" doc:"The members that records shall have, or the columns; without it all"`
	Limit  int      `query:"limit" minimum:"0" maximum:"2000000000" doc:"How many records at the most; 0, or none: all"`
	Cursor string   `query:"cursor" maxLength:"512" doc:"\"next\" of a page: what comes behind it"`
}

type csvInput struct {
	ExportInput
	Separator string `query:"separator" maxLength:"3" doc:"Between cells: a comma, a semicolon, or tab; without it a comma"`
	BOM       string `query:"bom" enum:"0,1" doc:"1: with a byte order mark, by which spreadsheets see that it is UTF-8"`
}

// rowWriter writes records in one format.
type rowWriter interface {
	page([]store.Row) error // before the records of a page
	record(*store.Row) error
	flush() error
}

func (s *server) exportCSV(ctx context.Context, in *csvInput) (*huma.StreamResponse, error) {
	separator, ok := separators()[cmp.Or(in.Separator, ",")]
	if !ok {
		return nil, badParameter("separator", `is a comma, a semicolon (%3B) or tab`, in.Separator)
	}
	columns, err := columnsOf(in.Fields)
	if err != nil {
		return nil, err
	}
	return s.export(ctx, &in.ExportInput, csvType+"; charset=utf-8", func(w *bufio.Writer) (rowWriter, error) {
		t := &csvRows{out: csv.NewWriter(w), under: w, columns: columns, masked: masked(ctx)}
		t.out.Comma = separator
		if in.BOM == "1" {
			if _, err := w.WriteString(byteOrderMark); err != nil {
				return nil, err
			}
		}
		return t, t.out.Write(t.picked(csvHeader()))
	})
}

func (s *server) exportNDJSON(ctx context.Context, in *ExportInput) (*huma.StreamResponse, error) {
	fields, err := pickedFields(in.Fields)
	if err != nil {
		return nil, err
	}
	return s.export(ctx, in, ndjsonType, func(w *bufio.Writer) (rowWriter, error) {
		return &lines{under: w, admin: admin(ctx), masked: masked(ctx), fields: fields, returned: func(list []store.Row) (map[string]record.Return, error) { return s.returned(ctx, list) }}, nil
	})
}

// export streams all records that are asked for. A failure in the middle cuts
// the connection, so that half a file is never taken for a whole one.
func (s *server) export(ctx context.Context, in *ExportInput, contentType string, begin func(*bufio.Writer) (rowWriter, error)) (*huma.StreamResponse, error) {
	q, err := s.query(ctx, &in.Filters, in.Limit)
	if err != nil {
		return nil, err
	}
	if q.After, err = in.after(); err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		r, w := humago.Unwrap(hc)
		hc.SetHeader("Content-Type", contentType)
		hc.SetHeader("Cache-Control", "no-store")
		hc.SetHeader("Vary", "Accept, Accept-Encoding")
		if c := coding(r); c != "" {
			hc.SetHeader("Content-Encoding", c)
		}
		if r.Method == http.MethodHead {
			return
		}
		if err := s.writePacked(hc.Context(), w, coding(r), q, begin); err != nil {
			s.opt.Log.Warn("an export of records was cut", "error", err)
			panic(http.ErrAbortHandler) // net/http's way to cut a connection
		}
	}}, nil
}

func (s *server) writePacked(ctx context.Context, w io.Writer, coding string, q store.Query, begin func(*bufio.Writer) (rowWriter, error)) error {
	out, err := packed(w, coding)
	if err != nil {
		return err
	}
	if err := s.writeAll(ctx, out, q, begin); err != nil {
		return err // not closed: half a file is not to look like a whole one
	}
	return out.Close()
}

func (s *server) writeAll(ctx context.Context, w io.Writer, q store.Query, begin func(*bufio.Writer) (rowWriter, error)) error {
	out, err := begin(bufio.NewWriterSize(w, 64<<10))
	if err != nil {
		return err
	}
	for left := cmp.Or(q.Limit, math.MaxInt); ; {
		q.Limit = min(left, exportPage)
		list, more, err := s.opt.Records.Rows(ctx, q)
		if err != nil {
			return err
		}
		if err := out.page(list); err != nil {
			return err
		}
		for i := range list {
			if err := out.record(&list[i]); err != nil {
				return fmt.Errorf("write records: %w", err)
			}
		}
		if err := out.flush(); err != nil {
			return fmt.Errorf("write records: %w", err)
		}
		if left -= len(list); !more || left == 0 {
			return nil
		}
		last := list[len(list)-1]
		q.After = behind(&last)
	}
}

type lines struct {
	under  *bufio.Writer
	admin  bool
	fields *contract.Fields // nil: all
	line   []byte
	masked bool

	returned func([]store.Row) (map[string]record.Return, error)
	back     map[string]record.Return // of the page
}

func (l *lines) page(list []store.Row) (err error) {
	l.back, err = l.returned(list)
	return err
}

func (*csvRows) page([]store.Row) error { return nil }

func (l *lines) record(row *store.Row) (err error) {
	if l.line, err = appendWhole(l.line[:0], row, l.admin, l.back); err != nil {
		return err
	}
	if l.fields != nil {
		picked, err := l.fields.Append(nil, l.line)
		if err != nil {
			return err
		}
		l.line = picked
	}
	if l.masked {
		l.line = contract.Mask(l.line)
	}
	_, err = l.under.Write(append(l.line, '\n'))
	return err
}

func (l *lines) flush() error { return l.under.Flush() }

type csvRows struct {
	out     *csv.Writer
	under   *bufio.Writer
	columns []int // of all; nil: every one
	masked  bool
}

// columnsOf are the columns of fields; nil: all.
func columnsOf(fields []string) (columns []int, err error) {
	for _, name := range fields {
		at := slices.Index(csvHeader(), strings.TrimPrefix(name, "details."))
		if at < 0 {
			return nil, badParameter("fields", "names no column; such are "+strings.Join(csvHeader(), ","), name)
		}
		columns = append(columns, at)
	}
	return columns, nil
}

// picked are the cells of the columns that are asked for.
func (c *csvRows) picked(row []string) []string {
	if c.columns == nil {
		return row
	}
	out := make([]string, len(c.columns))
	for i, at := range c.columns {
		out[i] = row[at]
	}
	return out
}

func csvHeader() []string {
	return []string{"callId", "startedAt", "answeredAt", "endedAt", "direction", "disposition", "srcPhone", "srcPhoneExt", "dstPhone", "dstPhoneExt",
		"duration", "did", "queue", "callerName", "recording"}
}

func (c *csvRows) record(line *store.Row) error {
	d, err := tableDetails(line)
	if err != nil {
		return err
	}
	r := line.Known()
	v := contract.FromRecord(r)
	row := []string{v.CallID, stamp(d.StartedAt), stamp(d.AnsweredAt), stamp(d.EndedAt), v.Direction, v.Disposition, v.SrcPhone, v.SrcPhoneExt,
		v.DstPhone, v.DstPhoneExt, strconv.Itoa(v.Duration), d.DID, d.Queue, d.CallerName, v.Call.Recording}
	for i := range row {
		if row[i] = inert(row[i]); c.masked && slices.Contains([]string{"srcPhone", "srcPhoneExt", "dstPhone", "dstPhoneExt", "callerName", "queue"}, csvHeader()[i]) {
			row[i] = contract.MaskText(row[i])
		}
	}
	return c.out.Write(c.picked(row))
}

// tableDetails are the details that have a column. What cannot be picked out of
// the text is read with all others.
func tableDetails(line *store.Row) (d record.Details, err error) {
	ok := contract.Strings(line.Text, func(name, value string) {
		switch name {
		case "startedAt":
			d.StartedAt, err = moment(value, err)
		case "answeredAt":
			d.AnsweredAt, err = moment(value, err)
		case "endedAt":
			d.EndedAt, err = moment(value, err)
		case "did":
			d.DID = value
		case "queue":
			d.Queue = value
		case "callerName":
			d.CallerName = value
		}
	})
	if ok && err == nil {
		return d, nil
	}
	whole, err := line.Whole()
	return whole.Details, err
}

// moment reads a time; an earlier error stays.
func moment(text string, before error) (time.Time, error) {
	at, err := time.Parse(time.RFC3339Nano, text)
	return at, errors.Join(before, err)
}

func (c *csvRows) flush() error {
	c.out.Flush()
	if err := c.out.Error(); err != nil {
		return err
	}
	return c.under.Flush()
}

// inert keeps a spreadsheet from running what a caller chose as his name: a text
// that begins like a formula gets a quote before it, also behind a semicolon,
// which separates cells in many countries. Control characters become blanks. A
// number with a plus stays: it can be nothing else.
func inert(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
	if s != "" && s[0] == '+' && strings.Trim(s[1:], "0123456789") == "" {
		return s
	}
	parts := strings.Split(s, ";")
	for i, part := range parts {
		if begin := strings.TrimLeft(part, " "); begin != "" && strings.ContainsRune("=+-@|%", rune(begin[0])) {
			parts[i] = "'" + part
		}
	}
	return strings.Join(parts, ";")
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(contract.TimeLayout)
}
