package doctor

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/voipd/voipd/ari"
	"github.com/voipd/voipd/internal/link"
	"github.com/voipd/voipd/record"
)

// ExamineARI connects by ARI and examines what it shows. Endpoints are not
// asked for: ARI does not say how they log in. The error says why the PBX
// could not be reached.
func ExamineARI(ctx context.Context, o ari.Options, dirs []string, wait time.Duration) (*Report, error) {
	r := &Report{}
	r.directories(dirs)
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(wait, 15*time.Second))
	defer cancel()
	listed, once := make(chan struct{}), sync.Once{}
	states := make(chan link.Status, 64)
	bare, seen := 0, 0
	o.Handle = func(e record.Event) {
		switch e.Kind {
		case record.ChannelPresent:
			if seen++; e.Channel.Linked == "" {
				bare++
			}
		case record.SnapshotEnded:
			once.Do(func() { close(listed) })
		}
	}
	o.OnState = func(s link.Status) {
		select {
		case states <- s:
		default: // only the first ones are of interest
		}
	}
	client, err := ari.NewClient(o)
	if err != nil {
		return nil, err
	}
	run, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() { defer close(ended); _ = client.Run(run) }()
	defer func() { stop(); <-ended }()
	if err := awaitList(ctx, o.URL, listed, states); err != nil {
		return nil, err
	}
	r.Version = "ARI"
	stop()
	<-ended
	switch {
	case bare > 0:
		r.find(fmt.Sprintf("%d of %d channels come without a linkedid: legs are joined by what they do, which tells less", bare, seen), "channelvars = CHANNEL(linkedid) in [general] of ari.conf")
	case seen == 0:
		r.Notes = append(r.Notes, "No channel was up: whether ari.conf has channelvars = CHANNEL(linkedid) could not be seen. Look again during a call.")
	}
	return r, nil
}

// awaitList waits for the first list of channels.
func awaitList(ctx context.Context, address string, listed <-chan struct{}, states <-chan link.Status) error {
	for {
		select {
		case <-listed:
			return nil
		case s := <-states:
			if s.State == link.Down {
				return fmt.Errorf("reach the PBX at %s: %s", address, s.Reason)
			}
		case <-ctx.Done():
			return fmt.Errorf("reach the PBX at %s: %w", address, ctx.Err())
		}
	}
}
