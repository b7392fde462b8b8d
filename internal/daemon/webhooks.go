package daemon

import (
	"fmt"
	"os"

	"github.com/voipd/voipd/internal/config"
	"github.com/voipd/voipd/internal/webhook"
)

// Endpoints are the configuration's webhooks; the loader has checked them.
func Endpoints(c config.Config) ([]webhook.Endpoint, error) {
	var out []webhook.Endpoint
	for _, w := range c.Webhooks {
		e := webhook.Endpoint{Name: w.Name, URL: w.URL, Secret: w.Secret.Reveal(), Events: w.Events, Timeout: w.Timeout, MaxAge: w.MaxAge, OldSecret: w.OldSecret.Reveal(), Body: webhook.Plain}
		switch {
		case w.Template == config.BRIX:
			e.Body, e.Shape = webhook.BRIX, config.BRIX
		case w.BodyTemplate != "":
			text, err := os.ReadFile(w.BodyTemplate)
			if err != nil {
				return nil, fmt.Errorf("webhook %s: read body_template: %w", w.Name, err)
			}
			if e.Body, err = webhook.Own(w.BodyTemplate, string(text)); err != nil {
				return nil, fmt.Errorf("webhook %s: %w", w.Name, err)
			}
			e.Shape = "own"
		}
		out = append(out, e)
	}
	return out, nil
}
