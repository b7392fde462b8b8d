package daemon

import (
	"context"
	"reflect"

	"github.com/voipd/voipd/internal/config"
	"github.com/voipd/voipd/internal/numbers"
	"github.com/voipd/voipd/record"
)

// Reload takes over what can be changed while voipd runs: tokens, webhooks,
// members and patterns of numbers, which hold for channels that are met from then
// on. Certificates are read anew by themselves. It gives the tables of the
// configuration that changed and need a restart. An error says what is wrong with
// the new one, and nothing has changed. It may be called while Run runs, by one
// goroutine.
func (d *Daemon) Reload(c config.Config) (needRestart []string, err error) {
	rules, err := numbers.Rules(c)
	if err != nil {
		return nil, err
	}
	endpoints, err := Endpoints(c)
	if err != nil {
		return nil, err
	}
	if err := d.webhooks.SetEndpoints(context.Background(), endpoints); err != nil {
		return nil, err
	}
	d.api.SetTokens(tokens(c))
	d.pbx.SetNames(names(c))
	d.setRules(rules)
	d.config.HTTP.Tokens, d.config.Members, d.config.Log, d.config.Webhooks = c.HTTP.Tokens, c.Members, c.Log, c.Webhooks
	// The PBX is told at each connect which variables are wanted.
	wanted := d.config.Numbers
	d.config.Numbers = c.Numbers
	d.config.Numbers.SrcExtVariable, d.config.Numbers.DstExtVariable = wanted.SrcExtVariable, wanted.DstExtVariable
	d.config.Warning = c.Warning // it was told
	was, is := reflect.ValueOf(d.config), reflect.ValueOf(c)
	for i := range was.NumField() {
		if !reflect.DeepEqual(was.Field(i).Interface(), is.Field(i).Interface()) {
			needRestart = append(needRestart, was.Type().Field(i).Tag.Get("toml"))
		}
	}
	return needRestart, nil
}

func (d *Daemon) setRules(r record.Rules) {
	d.learn.Lock()
	defer d.learn.Unlock()
	d.apply(r)
}

// apply makes these the rules, with what the PBX shows. d.learn is held.
func (d *Daemon) apply(r record.Rules) {
	r = with(r, d.known)
	d.rules.Store(&r)
	d.loop.SetRules(r)
	d.repair.SetRules(r)
	d.pbx.SetRules(r)
}

// names are the configured names of operators, by extension.
func names(c config.Config) map[string]string {
	out := map[string]string{}
	for _, m := range c.Members {
		if m.Name != "" {
			out[m.Extension] = m.Name
		}
	}
	return out
}
