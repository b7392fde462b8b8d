package config

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

func (k *checker) webhooks(list []Webhook) {
	seen := map[string]bool{}
	for i, w := range list {
		key := fmt.Sprintf("webhooks[%d]", i)
		if w.Name == "" || seen[w.Name] {
			k.bad(key+".name", "want a name that no other webhook has")
		}
		seen[w.Name] = true
		if u, err := url.Parse(w.URL); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.Fragment != "" {
			k.bad(key+".url", "want an address such as \"https://crm.example.com/voip\", have %q", w.URL)
		}
		switch {
		case w.Secret != "" && w.SecretFile != "":
			k.bad(key+".secret_file", "secret is set as well; keep one of the two")
		case w.Secret == "" && w.SecretFile == "":
			k.bad(key+".secret", "not set: give secret or secret_file")
		case w.Secret != "" && !signs(w.Secret):
			k.bad(key+".secret", "%s", wantSecret)
		}
		if w.OldSecret != "" && w.OldFile != "" {
			k.bad(key+".old_secret_file", "old_secret is set as well; keep one of the two")
		}
		if w.OldSecret != "" && !signs(w.OldSecret) {
			k.bad(key+".old_secret", "%s", wantSecret)
		}
		if w.Template == BRIX && slices.Contains(w.Events, "webhook.failing") {
			k.bad(key+".events", "webhook.failing is about no call: the template brix has no shape for it")
		}
		for n, e := range w.Events {
			k.oneOf(fmt.Sprintf("%s.events[%d]", key, n), e, Events()...)
		}
		if w.Template != "" {
			k.oneOf(key+".template", w.Template, Plain, BRIX)
		}
		if w.Template != "" && w.BodyTemplate != "" {
			k.bad(key+".body_template", "template is set as well; keep one of the two")
		}
	}
}

const wantSecret = "want whsec_ and at least 24 bytes in base64, as \"voipd webhooks secret\" prints it"

// signs tells whether a secret is one of Standard Webhooks.
func signs(s Secret) bool {
	text, ok := strings.CutPrefix(s.Reveal(), "whsec_")
	key, err := base64.StdEncoding.DecodeString(text)
	return ok && err == nil && len(key) >= 24
}

// fetchWebhookSecrets reads the secrets that stand in files.
func (c *Config) fetchWebhookSecrets() []Problem {
	var problems []Problem
	for i := range c.Webhooks {
		w := &c.Webhooks[i]
		for _, f := range []struct {
			key, path string
			to        *Secret
		}{{"secret_file", w.SecretFile, &w.Secret}, {"old_secret_file", w.OldFile, &w.OldSecret}} {
			if f.path == "" {
				continue
			}
			key := fmt.Sprintf("webhooks[%d].%s", i, f.key)
			text, err := readSecret(f.path)
			if err != nil {
				problems = append(problems, Problem{Key: key, What: err.Error()})
				continue
			}
			if *f.to = Secret(strings.TrimRight(string(text), "\r\n")); !signs(*f.to) {
				problems = append(problems, Problem{Key: key, What: f.path + ": " + wantSecret})
			}
		}
	}
	return problems
}

// ReadWebhooks is Read with the secrets of webhooks, and of nothing else.
func ReadWebhooks(path string) (Config, error) {
	c, err := Read(path)
	if err != nil {
		return c, err
	}
	if problems := c.fetchWebhookSecrets(); len(problems) > 0 {
		return c, &Error{File: path, Problems: problems}
	}
	return c, nil
}
