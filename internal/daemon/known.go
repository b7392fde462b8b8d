package daemon

import (
	"context"

	"github.com/voipd/voipd/internal/pbx"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

// WithKnown adds to rules what the PBX showed of its endpoints and extensions, as far
// as an earlier run has seen and kept it: CEL and CDR do not say it.
func WithKnown(ctx context.Context, db *store.DB, r record.Rules) (record.Rules, error) {
	k, err := kept(ctx, db)
	return with(r, k), err
}

func kept(ctx context.Context, db *store.DB) (pbx.Known, error) {
	k, err := db.Known(ctx)
	return pbx.Known(k), err
}

func with(r record.Rules, k pbx.Known) record.Rules {
	r.Shown, r.Numbers = k.Endpoints, k.Extensions()
	return r
}

// learns takes over what the PBX shows, and keeps it.
func (d *Daemon) learns(ctx context.Context, k pbx.Known) {
	if err := d.store.SetKnown(context.WithoutCancel(ctx), store.Known(k)); err != nil {
		d.opt.Log.Warn("cannot keep what the PBX shows of its endpoints", "error", err)
	}
	d.learn.Lock()
	defer d.learn.Unlock()
	d.known = k
	d.apply(*d.rules.Load())
}
