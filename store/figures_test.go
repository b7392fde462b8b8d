package store

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/voipd/voipd/record"
)

// TestFiguresAreTheRecords: figures are what counting the records one by one gives,
// after random calls, corrections and erasures, whether all have their places or some
// wait; in a zone in whose time an hour comes twice.
func TestFiguresAreTheRecords(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(5, 6))
	db, begin, kept, gone := openT(t), time.Date(2026, 10, 20, 0, 0, 0, 0, zone), map[string]record.Record{}, map[string]bool{}
	for round := range 12 {
		var b Batch
		for range 1 + rnd.IntN(150) {
			start := begin.Add(time.Duration(rnd.IntN(14*24*3600)) * time.Second).UTC()
			r := record.Record{CallID: fmt.Sprint("1.", rnd.IntN(600)), Direction: []record.Direction{record.In, record.Out, record.Internal}[rnd.IntN(3)],
				Disposition: []record.Disposition{record.Answered, record.NoAnswer}[rnd.IntN(2)], SrcPhone: spelled(rnd, rnd.IntN(9)), DstPhone: fmt.Sprint(101 + rnd.IntN(3)),
				Details: record.Details{StartedAt: start, WaitMS: int64(rnd.IntN(400_000)), Queue: []string{"", "sales", "support"}[rnd.IntN(3)], DID: []string{"", "7495"}[rnd.IntN(2)], Source: "ami"}}
			if r.Direction != record.In {
				r.SrcPhone, r.DstPhone = r.DstPhone, r.SrcPhone
			}
			if rnd.IntN(4) > 0 {
				r.Details.Rang = []record.Rang{{Phone: r.DstPhone, At: start, Outcome: "no_answer"}}
			}
			if r.Disposition == record.Answered {
				r.Duration = rnd.IntN(3600)
			}
			if b.Put(r); !gone[r.CallID] {
				kept[r.CallID] = r
			}
		}
		if err := db.Commit(t.Context(), &b); err != nil {
			t.Fatal(err)
		}
		if round%4 == 3 {
			p, err := db.Person(t.Context(), fmt.Sprintf("7903000%04d", rnd.IntN(9)))
			if err != nil {
				t.Fatal(err)
			}
			for _, id := range p.ids {
				delete(kept, id)
				gone[id] = true // for ever
			}
			if _, err := db.Forget(t.Context(), p, 0); err != nil {
				t.Fatal(err)
			}
		}
		q := Query{From: begin.AddDate(0, 0, rnd.IntN(4)), To: begin.AddDate(0, 0, 5+rnd.IntN(10)).Add(time.Duration(rnd.IntN(7200)) * time.Second)}
		switch rnd.IntN(4) {
		case 0:
			q.Queues = []string{"sales"}
		case 1:
			q.Number = "00000"
		case 2:
			q.MinDuration = 77
		}
		got, err := db.Figures(t.Context(), q, zone)
		if err != nil {
			t.Fatal(err)
		}
		want := counted(kept, q, zone)
		for i := range got.Waits {
			want.Waits[i].Row, got.Waits[i].Row = Row{}, Row{} // of those that waited as long, any
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("round %d, %+v: want (-), got (+):\n%s", round, q, diff)
		}
	}
}

// counted counts records one by one.
func counted(kept map[string]record.Record, q Query, zone *time.Location) Figures {
	var out Figures
	for at := q.From; at.Before(q.To); at = at.Add(time.Minute) {
		if day := at.In(zone).Format(time.DateOnly); len(out.Days) == 0 || out.Days[len(out.Days)-1].Name != day {
			out.Days = append(out.Days, Named{Name: day})
		}
	}
	operators, queues, dids := map[string]*Tally{}, map[string]*Tally{}, map[string]*Tally{}
	var waits, waitsBefore []time.Duration
	before := q.From.Add(-q.To.Sub(q.From))
	w := q.wanted()
	for _, r := range kept {
		e, at := entryOf(&r), r.Details.StartedAt
		if at.Before(before) || !at.Before(q.To) || !w.fits(&e) {
			continue
		}
		wait := time.Duration(r.Details.WaitMS) * time.Millisecond
		if at.Before(q.From) {
			add(&out.Before, &r, &waitsBefore)
			continue
		}
		add(&out.Total, &r, &waits)
		local := at.In(zone)
		add(&out.Hours[local.Hour()], &r, nil)
		for i := range out.Days {
			if out.Days[i].Name == local.Format(time.DateOnly) {
				add(&out.Days[i].Tally, &r, nil)
			}
		}
		if name := operatorOf(&r); name != "" {
			add(tallyOf(operators, name), &r, nil)
		}
		if r.Details.Queue != "" {
			add(tallyOf(queues, r.Details.Queue), &r, nil)
		}
		if r.Details.DID != "" {
			add(tallyOf(dids, r.Details.DID), &r, nil)
		}
		if r.Direction == record.In {
			out.Waits = append(out.Waits, Wait{Wait: wait})
		}
	}
	slices.SortFunc(out.Waits, func(a, b Wait) int { return int(b.Wait - a.Wait) })
	if out.Waits = out.Waits[:min(len(out.Waits), 10)]; len(out.Waits) == 0 {
		out.Waits = nil
	}
	out.Operators, out.Queues, out.DIDs = most(operators), most(queues), most(dids)
	out.Total.Median, out.Total.P90 = rank(waits, 50), rank(waits, 90)
	out.Before.Median, out.Before.P90 = rank(waitsBefore, 50), rank(waitsBefore, 90)
	return out
}

func add(t *Tally, r *record.Record, waits *[]time.Duration) {
	answered := 0
	if r.Disposition == record.Answered {
		answered = 1
	}
	t.Calls, t.Answered, t.TalkSeconds = t.Calls+1, t.Answered+answered, t.TalkSeconds+int64(r.Duration)
	switch r.Direction {
	case record.In:
		t.In, t.InAnswered = t.In+1, t.InAnswered+answered
		if waits != nil && answered > 0 {
			*waits = append(*waits, time.Duration(r.Details.WaitMS)*time.Millisecond)
		}
	case record.Out:
		t.Out, t.OutAnswered = t.Out+1, t.OutAnswered+answered
	}
}

// rank is the nearest-rank percentile, to a tenth of a second.
func rank(all []time.Duration, percent int) time.Duration {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[(len(all)*percent+99)/100-1].Truncate(waitStep)
}
