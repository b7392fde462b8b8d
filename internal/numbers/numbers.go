// Package numbers makes the call engine's rules of the configuration's section
// [numbers]. The default patterns stand in package config alone.
package numbers

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/voipd/voipd/internal/config"
	"github.com/voipd/voipd/record"
)

// Rules are the rules of a configuration.
func Rules(c config.Config) (record.Rules, error) {
	n := c.Numbers
	r := record.Rules{Guessed: slices.Equal(n.Extensions, config.Default().Numbers.Extensions), ExtSeparators: n.ExtensionSeparator,
		SrcExtVariable: n.SrcExtVariable, DstExtVariable: n.DstExtVariable, PBX: c.Asterisk.Name, Helpers: n.Helpers, Endpoints: map[string]string{}}
	for _, m := range c.Members {
		for _, e := range m.Endpoints {
			r.Endpoints[e] = m.Extension
		}
	}
	for _, list := range []struct {
		from []string
		to   *[]*regexp.Regexp
	}{{n.Extensions, &r.Extensions}, {n.Trunks, &r.Trunks}, {n.Outside, &r.Outside}} {
		for _, p := range list.from {
			re, err := regexp.Compile(p)
			if err != nil {
				return r, fmt.Errorf("read numbers: %w", err)
			}
			*list.to = append(*list.to, re)
		}
	}
	for _, list := range []struct {
		from []config.Rewrite
		to   *[]record.Rewrite
	}{{n.Rewrite, &r.Dialled}, {n.RewriteCaller, &r.Callers}} {
		for _, w := range list.from {
			re, err := regexp.Compile(w.Match)
			if err != nil {
				return r, fmt.Errorf("read numbers: %w", err)
			}
			*list.to = append(*list.to, record.Rewrite{Match: re, With: w.Replace})
		}
	}
	return r, r.Check()
}

// Default is the rules of a configuration that says nothing about numbers.
func Default() record.Rules {
	r, err := Rules(config.Default())
	if err != nil {
		panic(err) // the default patterns compile
	}
	return r
}
