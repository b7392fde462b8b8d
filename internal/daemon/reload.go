package daemon

import (
	"reflect"

	"github.com/voipd/voipd/internal/config"
)

// Reload takes over what can be changed while voipd runs: tokens and members'
// names. Certificates are read anew by themselves. It gives the tables of the
// configuration that changed and need a restart. It may be called while Run runs,
// by one goroutine.
func (d *Daemon) Reload(c config.Config) (needRestart []string) {
	d.api.SetTokens(tokens(c))
	d.pbx.SetNames(names(c))
	d.config.HTTP.Tokens, d.config.Members, d.config.Log = c.HTTP.Tokens, c.Members, c.Log
	was, is := reflect.ValueOf(d.config), reflect.ValueOf(c)
	for i := range was.NumField() {
		if !reflect.DeepEqual(was.Field(i).Interface(), is.Field(i).Interface()) {
			needRestart = append(needRestart, was.Type().Field(i).Tag.Get("toml"))
		}
	}
	return needRestart
}

// names are the configured names of operators, by extension.
func names(c config.Config) map[string]string {
	out := map[string]string{}
	for _, m := range c.Members {
		out[m.Extension] = m.Name
	}
	return out
}
