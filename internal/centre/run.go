package centre

import (
	"context"
	"time"

	"github.com/voipd/voipd/internal/api"
)

// ServeOptions of a process of the centre.
type ServeOptions struct {
	api.ServerOptions
	Handler HandlerOptions
	Ready   func(address string) // called once it listens; nil: nobody is told
}

// Serve serves until ctx ends, and makes partitions ahead of their months. It returns
// nil after an orderly stop.
func (c *Centre) Serve(ctx context.Context, opt ServeOptions) error {
	if err := c.MakeMonths(ctx); err != nil {
		return err
	}
	server, err := api.Listen(opt.ServerOptions)
	if err != nil {
		return err
	}
	halt := make(chan struct{})
	opt.Handler.Halt = halt
	handler, err := c.Handler(ctx, opt.Handler)
	if err != nil {
		_ = server.Close() // the other error tells
		return err
	}
	if opt.Ready != nil {
		opt.Ready(server.URL())
	}
	work, stop := context.WithCancel(ctx)
	months := make(chan struct{})
	go func() { defer close(months); c.keepMonths(work) }()
	defer func() { stop(); <-months }()
	return server.Run(ctx, handler, func() { close(halt) })
}

// keepMonths makes partitions once a day.
func (c *Centre) keepMonths(ctx context.Context) {
	day := time.NewTicker(24 * time.Hour)
	defer day.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-day.C:
			if err := c.MakeMonths(ctx); err != nil {
				c.log.Error("partitions of the next months were not made; records of a month that has none go to records_other, and move when it is made", "error", err)
			}
		}
	}
}
