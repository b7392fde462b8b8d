package webhook_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/internal/webhook"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

// calls writes records as the loop does: with what is told of them.
type calls struct {
	t    *testing.T
	db   *store.DB
	path string
	seen int64
}

func (c *calls) open() {
	c.t.Helper()
	db, err := store.Open(c.t.Context(), c.path)
	if err != nil {
		c.t.Fatal(err)
	}
	c.db = db
}

// end ends calls in one transaction, and gives what is told of who is to be called back.
func (c *calls) end(all ...record.Record) string {
	c.t.Helper()
	var b store.Batch
	for _, r := range all {
		b.Records = append(b.Records, &r)
		kind := record.CallEnded
		if r.Details.Source == "cel" {
			kind = record.RecordRevised
		}
		b.Changes = append(b.Changes, webhook.Plan(record.Change{Kind: kind, At: r.Details.StartedAt, CallID: r.CallID, Record: &r}, nil)...)
	}
	if err := c.db.Commit(c.t.Context(), &b); err != nil {
		c.t.Fatal(err)
	}
	return c.told()
}

func (c *calls) told() string {
	c.t.Helper()
	list, err := c.db.Changes(c.t.Context(), c.seen, 1000)
	if err != nil {
		c.t.Fatal(err)
	}
	var out []string
	for _, change := range list {
		c.seen = change.Seq
		if !strings.HasPrefix(change.Kind, "missed.") {
			continue
		}
		var b contract.Body
		if err := json.Unmarshal(change.Body, &b); err != nil {
			c.t.Fatal(err)
		}
		line := fmt.Sprintf("%s %s %d", strings.TrimPrefix(change.Kind, "missed."), b.Missed.LastCallID, b.Missed.Calls)
		if back := b.Missed.Returned; back != nil {
			line += fmt.Sprintf(" by %s after %d s", back.By, back.AfterSeconds)
		}
		out = append(out, line)
	}
	return strings.Join(out, "; ")
}

// TestMissedIsTold: who is to be called back is told once, and once that it is done,
// across restarts, corrections and spellings; imports tell nothing.
func TestMissedIsTold(t *testing.T) {
	c := &calls{t: t, path: filepath.Join(t.TempDir(), "voipd.db")}
	c.open()
	defer func() { c.db.Close() }()
	begin := time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC)
	call := func(n int, direction record.Direction, number string, seconds int) record.Record {
		r := record.Record{CallID: fmt.Sprint("1.", n), Direction: direction, Disposition: record.NoAnswer, SrcPhone: number, DstPhone: "101", Duration: seconds,
			Details: record.Details{StartedAt: begin.Add(time.Duration(n) * time.Minute), Source: "ami"}}
		if seconds > 0 {
			r.Disposition, r.Details.AnsweredAt = record.Answered, r.Details.StartedAt.Add(10*time.Second)
		}
		if direction == record.Out {
			r.SrcPhone, r.DstPhone = r.DstPhone, r.SrcPhone
		}
		return r
	}
	corrected := func(r record.Record, disposition record.Disposition, seconds int) record.Record {
		r.Disposition, r.Duration, r.Details.Source = disposition, seconds, "cel"
		return r
	}
	cut := func(r record.Record) record.Record {
		r.Details.Approximate = []string{"gap"}
		return r
	}
	for i, step := range []struct {
		calls []record.Record
		want  string
	}{
		{[]record.Record{call(1, record.In, "79031000001", 0)}, "opened 1.1 1"},
		{[]record.Record{call(2, record.In, "+7 903 100-00-01", 0)}, ""},
		{[]record.Record{call(3, record.Out, "89031000001", 0)}, ""},
		{[]record.Record{call(4, record.Out, "89031000001", 20)}, "returned 1.2 2 by 101 after 130 s"},
		{[]record.Record{call(5, record.Out, "89031000001", 20)}, ""},
		{[]record.Record{call(6, record.In, "anonymous", 0), call(7, record.In, "", 0), call(8, record.Internal, "102", 0)}, ""},
		{[]record.Record{call(9, record.In, "79031000002", 0), call(10, record.In, "79031000002", 5)}, "opened 1.9 1; returned 1.9 1 by 101 after 70 s"},
		{[]record.Record{cut(call(11, record.In, "79031000003", 0))}, "opened 1.11 1"},
		{[]record.Record{corrected(call(11, record.In, "79031000003", 0), record.Answered, 9)}, "returned 1.11 1 by 101 after 0 s"},
		{[]record.Record{cut(call(12, record.In, "79031000004", 30))}, ""},
		{[]record.Record{corrected(call(12, record.In, "79031000004", 0), record.NoAnswer, 0)}, "opened 1.12 1"},
		{[]record.Record{call(14, record.In, "79031000005", 9)}, ""},
		{[]record.Record{call(13, record.In, "79031000005", 0)}, ""}, // told late
	} {
		if got := c.end(step.calls...); got != step.want {
			t.Errorf("step %d: told is %q, want %q", i, got, step.want)
		}
		if err := c.db.Close(); err != nil {
			t.Fatal(err)
		}
		c.open()
	}
	var b store.Batch
	b.Put(call(20, record.In, "79031000006", 0))
	if err := c.db.Commit(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	if got := c.told(); got != "" {
		t.Errorf("an import told %q", got)
	}
}
