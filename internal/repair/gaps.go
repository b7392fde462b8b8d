package repair

import (
	"context"
	"time"

	"github.com/voipd/voipd/internal/backfill"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

const (
	// aliveMark is when voipd last ran, for certain.
	aliveMark = "alive"
	// aliveEvery is how often that is written.
	aliveEvery = 30 * time.Second
	// firstMark is when voipd ran for the first time: what was before is for
	// Import, which tells nobody.
	firstMark = "first start"
)

// begin notes how long voipd did not run, and that the last two days are to be
// read: what was to be read when it stopped is not known any more. It tells
// whether that is done; a disk that fails is tried again. A voipd that is
// stopped at once has begun all the same: from its first start on, what it
// misses is for the repair.
func (r *Repair) begin(ctx context.Context) bool {
	if r.begun.IsZero() {
		r.begun = r.opt.Now()
	}
	err := r.mark(context.WithoutCancel(ctx), r.begun)
	if err != nil && err.Error() != r.unbegun {
		r.unbegun = err.Error()
		r.opt.Log.Error("cannot note how long voipd did not run, will try again", "error", err)
	}
	return err == nil
}

func (r *Repair) mark(ctx context.Context, now time.Time) error {
	first, err := r.opt.Store.Mark(ctx, firstMark)
	if err != nil {
		return err
	}
	if first.IsZero() {
		r.first = now
		return r.opt.Store.SetMark(ctx, firstMark, now)
	}
	last, err := r.opt.Store.Mark(ctx, aliveMark)
	if err != nil {
		return err
	}
	if len(r.opt.Sources) > 0 && !last.IsZero() && last.Before(now) {
		if err := r.opt.Store.AddGap(ctx, store.Gap{From: last, Why: "voipd was not running"}); err != nil {
			return err
		}
	}
	r.first = first
	r.lookBack(now, now.Add(r.opt.Delay))
	return nil
}

// Lost makes a store that has lost it know that voipd ran up to a moment: what
// was before is for an import, what came after is a gap.
func Lost(ctx context.Context, db Marks, at time.Time) error {
	for _, name := range []string{firstMark, aliveMark} {
		had, err := db.Mark(ctx, name)
		if err != nil {
			return err
		}
		if had.IsZero() {
			if err := db.SetMark(ctx, name, at); err != nil {
				return err
			}
		}
	}
	return nil
}

// lookBack asks for the reading of the last two days, and of what a clock that
// went ahead wrote down.
func (r *Repair) lookBack(now, due time.Time) {
	from := now.Add(-lookBack)
	if from.Before(r.first) {
		from = r.first
	}
	r.want(wanted{span: backfill.Span{From: from, To: now.Add(lookBack)}, due: due, late: true})
}

// alive keeps that voipd runs, and asks for the daily reading.
func (r *Repair) alive(ctx context.Context) {
	now := r.opt.Now()
	if now.Sub(r.written) < aliveEvery && !now.Before(r.written) {
		return
	}
	r.written = now
	if err := r.opt.Store.SetMark(ctx, aliveMark, now); err != nil && ctx.Err() == nil {
		r.opt.Log.Warn("cannot note that voipd runs", "error", err)
	}
	if r.daily.IsZero() {
		r.daily = now
	}
	if now.Sub(r.daily) >= daily {
		r.daily = now
		r.lookBack(now, now)
	}
}

// gaps puts news of gaps on the disk, and asks for the reading of those that
// are over.
func (r *Repair) gaps(ctx context.Context) {
	r.mu.Lock()
	news := r.news
	r.news = nil
	r.mu.Unlock()
	if len(r.opt.Sources) == 0 {
		return
	}
	for i, e := range news {
		if err := r.gap(ctx, e); err != nil {
			if ctx.Err() == nil {
				r.opt.Log.Error("cannot note a gap, will try again", "error", err)
			}
			r.mu.Lock()
			r.news = append(news[i:], r.news...)
			r.mu.Unlock()
			return
		}
	}
	gaps, err := r.opt.Store.Gaps(ctx)
	if err != nil {
		r.opt.Log.Error("cannot read the gaps", "error", err)
		return
	}
	r.plan(gaps)
}

func (r *Repair) gap(ctx context.Context, e record.Event) error {
	at := e.At
	if at.IsZero() {
		at = r.opt.Now()
	}
	if e.Kind == record.SnapshotEnded {
		r.listed, r.sets = at, r.opt.Sets()
		return r.opt.Store.CloseGaps(ctx, at)
	}
	r.listed = time.Time{}
	return r.opt.Store.AddGap(ctx, store.Gap{From: at, Why: e.Value})
}

// plan asks, once, for the reading of each gap that is over.
func (r *Repair) plan(gaps []store.Gap) {
	asked := map[int64]bool{}
	for _, g := range gaps {
		if g.To.IsZero() {
			continue
		}
		if asked[g.ID] = true; !r.asked[g.ID] {
			r.want(wanted{span: backfill.Span{From: g.From, To: g.To}, due: r.opt.Now().Add(r.opt.Delay), gaps: []int64{g.ID}})
		}
	}
	r.asked = asked
	r.mu.Lock()
	defer r.mu.Unlock()
	r.health.open, r.health.since = len(gaps), time.Time{}
	if len(gaps) > 0 {
		r.health.since = gaps[0].From
	}
}
