package daemon

import (
	"context"

	"github.com/voipd/voipd/internal/ship"
)

// openCentre makes what ships records to a centre, where there is one.
func (d *Daemon) openCentre(context.Context) error {
	c := d.config.Centre
	if c.Address == "" {
		return nil
	}
	shipper := ship.New(ship.Options{Store: d.store, Address: c.Address, Version: d.opt.Version, Gather: d.opt.ShipGather, Retry: d.opt.ShipGather, Log: d.opt.Log,
		Token: func() (string, error) {
			token, err := c.ReadToken()
			return token.Reveal(), err
		}})
	d.parts.add(part{name: "centre", run: forever(shipper.Run), health: shipper.Health, metrics: shipper.Metrics})
	return nil
}
