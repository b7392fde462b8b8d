package api

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"mime"
	"net/http"
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

// byAccept lets GET /v1/records give a file to who asks for one by Accept.
func byAccept(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/records" {
			kind, _, _ := mime.ParseMediaType(strings.Split(r.Header.Get("Accept"), ",")[0])
			if path := map[string]string{csvType: csvPath, ndjsonType: ndjsonPath}[kind]; path != "" {
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

type exportInput struct{ Filters }

// rowWriter writes records in one format.
type rowWriter interface {
	record(*store.Row) error
	flush() error
}

func (s *server) exportCSV(_ context.Context, in *exportInput) (*huma.StreamResponse, error) {
	return s.export(in, csvType+"; charset=utf-8", func(w *bufio.Writer) (rowWriter, error) {
		t := &csvRows{out: csv.NewWriter(w), under: w}
		return t, t.out.Write(csvHeader())
	})
}

func (s *server) exportNDJSON(ctx context.Context, in *exportInput) (*huma.StreamResponse, error) {
	return s.export(in, ndjsonType, func(w *bufio.Writer) (rowWriter, error) {
		return &lines{under: w, admin: admin(ctx)}, nil
	})
}

// export streams all records that are asked for. A failure in the middle cuts
// the connection, so that half a file is never taken for a whole one.
func (s *server) export(in *exportInput, contentType string, begin func(*bufio.Writer) (rowWriter, error)) (*huma.StreamResponse, error) {
	q, err := s.query(&in.Filters, exportPage)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		r, w := humago.Unwrap(hc)
		hc.SetHeader("Content-Type", contentType)
		hc.SetHeader("Cache-Control", "no-store")
		if r.Method == http.MethodHead {
			return
		}
		if err := s.writeAll(hc.Context(), w, q, begin); err != nil {
			s.opt.Log.Warn("an export of records was cut", "error", err)
			panic(http.ErrAbortHandler) // net/http's way to cut a connection
		}
	}}, nil
}

func (s *server) writeAll(ctx context.Context, w http.ResponseWriter, q store.Query, begin func(*bufio.Writer) (rowWriter, error)) error {
	out, err := begin(bufio.NewWriterSize(w, 64<<10))
	if err != nil {
		return err
	}
	for {
		list, more, err := s.opt.Records.Rows(ctx, q)
		if err != nil {
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
		if !more {
			return nil
		}
		last := list[len(list)-1]
		q.After = store.Cursor{StartedAt: last.StartedAt, CallID: last.CallID}
	}
}

type lines struct {
	under *bufio.Writer
	admin bool
	line  []byte
}

func (l *lines) record(row *store.Row) (err error) {
	if l.line, err = appendRow(l.line[:0], row, l.admin); err != nil {
		return err
	}
	_, err = l.under.Write(append(l.line, '\n'))
	return err
}

func (l *lines) flush() error { return l.under.Flush() }

type csvRows struct {
	out   *csv.Writer
	under *bufio.Writer
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
		row[i] = inert(row[i])
	}
	return c.out.Write(row)
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
