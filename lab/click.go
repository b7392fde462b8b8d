//go:build lab

package lab

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// click has the voipd that listens by that source place the call, as an app
// would have it.
func (o *Office) click(ctx context.Context, c Call) error {
	d := o.voipds[strings.TrimPrefix(c.By, "voipd-")]
	if d == nil {
		return o.originate(ctx, c) // nobody watches: the PBX is asked itself
	}
	_, src, _ := strings.Cut(c.Originate, "/")
	return d.Place(ctx, src, c.Dial)
}

// Place asks voipd to ring src and to dial dst for him.
func (d *Daemon) Place(ctx context.Context, src, dst string) error {
	body, err := json.Marshal(map[string]string{"srcPhone": src, "dstPhone": dst})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.base+"/v1/calls", strings.NewReader(string(body)))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+voipdToken)
	res, err := d.do(req)
	if err != nil {
		return fmt.Errorf("POST /v1/calls: %w", err)
	}
	if res.status != http.StatusAccepted {
		return fmt.Errorf("POST /v1/calls: %d %s", res.status, res.body)
	}
	return nil
}
