package daemon

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/voipd/voipd/internal/config"
	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/internal/webhook"
)

// Endpoints are the configuration's webhooks; the loader has checked them.
func Endpoints(c config.Config) ([]webhook.Endpoint, error) {
	var out []webhook.Endpoint
	for _, w := range c.Webhooks {
		e := webhook.Endpoint{Name: w.Name, URL: w.URL, Secret: w.Secret.Reveal(), Events: w.Events, Timeout: w.Timeout, MaxAge: w.MaxAge, Body: webhook.Plain}
		switch {
		case w.Template == config.BRIX:
			e.Body = webhook.BRIX
		case w.BodyTemplate != "":
			text, err := os.ReadFile(w.BodyTemplate)
			if err != nil {
				return nil, fmt.Errorf("webhook %s: read body_template: %w", w.Name, err)
			}
			if e.Body, err = webhook.Own(w.BodyTemplate, string(text)); err != nil {
				return nil, fmt.Errorf("webhook %s: %w", w.Name, err)
			}
		}
		out = append(out, e)
	}
	return out, nil
}

// newWebhooks makes what delivers events, and lets the store write them for it.
func (d *Daemon) newWebhooks(ctx context.Context) error {
	endpoints, err := Endpoints(d.config)
	if err != nil {
		return err
	}
	d.store.Deliver(webhook.Route(endpoints))
	d.webhooks, err = webhook.New(ctx, webhook.Options{Store: d.store, Endpoints: endpoints, Log: d.opt.Log})
	return err
}

// lateAfter is how old an event that waits may be before health tells of it.
const lateAfter = 15 * time.Minute

// webhookHealth adds how much of the outbox is not done.
func (d *Daemon) webhookHealth(ctx context.Context, h *contract.Health) {
	if len(d.config.Webhooks) == 0 {
		return
	}
	o, err := d.store.Outbox(ctx)
	if err != nil {
		return // the store's own health tells it
	}
	h.Webhooks = &contract.WebhookHealth{Waiting: o.Waiting, Parked: o.Parked, Oldest: o.Oldest}
	if o.Parked > 0 {
		h.Warnings = append(h.Warnings, contract.Warning{Code: "webhooks-parked",
			Text: fmt.Sprintf("%d events were refused or not taken for too long; voipd webhooks list shows them, voipd webhooks retry sends them again", o.Parked)})
	}
	if !o.Oldest.IsZero() && time.Since(o.Oldest) > lateAfter {
		h.Warnings = append(h.Warnings, contract.Warning{Code: "webhooks-late",
			Text: fmt.Sprintf("%d events wait for their webhooks, the oldest since %s; voipd webhooks list --waiting shows the answers they got", o.Waiting, o.Oldest.Format(time.RFC3339))})
	}
}
