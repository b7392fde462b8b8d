package backfill

import (
	"slices"
	"strings"
	"time"
)

// The bounds of what waits for more rows of its call.
const (
	maxSpread = 12 * time.Hour
	callsWait = 20_000
)

// touching is how far apart two rows that name one channel may be: times have
// whole seconds. Asterisk begins to count anew when it restarts, so a name that
// comes later is another channel.
const touching = time.Second

// cdrGroup is the rows of one call. Calls with different linkedids that share a
// channel, such as a consultation by the phone's second line, are told
// together, so that the Machine sees how they became one.
type cdrGroup struct {
	rows   []cdrRow
	latest time.Time
	into   *cdrGroup // the older group that it went into
}

// cdrGroups puts rows together.
type cdrGroups struct {
	linked map[string]*cdrGroup
	names  map[string]*cdrGroup // by channel name
	order  []*cdrGroup          // as their first rows came
}

func newCDRGroups() *cdrGroups {
	return &cdrGroups{linked: map[string]*cdrGroup{}, names: map[string]*cdrGroup{}}
}

func (g *cdrGroups) push(r cdrRow, each func([]cdrRow)) {
	all := g.linked[r.linked].last()
	if all == nil {
		all = &cdrGroup{}
		g.order = append(g.order, all)
	}
	for _, name := range r.names() {
		if other := g.names[name].last(); other != nil && other != all && other.touches(name, r) {
			all = g.merge(other, all)
		}
		g.names[name] = all
	}
	g.linked[r.linked] = all
	all.rows = append(all.rows, r)
	if r.end.After(all.latest) {
		all.latest = r.end
	}
	for len(g.order) > 0 && (g.order[0].into != nil || len(g.order) > callsWait || r.end.Sub(g.order[0].latest) > maxSpread) {
		g.tell(g.order[0], each)
		g.order = g.order[1:]
	}
}

// names are those of a row's channels, by which it belongs to others: the halves
// of a Local channel have one.
func (r cdrRow) names() []string {
	var names []string
	for _, name := range [...]string{r.channel, r.peer} {
		if strings.HasPrefix(name, "Local/") {
			name = strings.TrimSuffix(strings.TrimSuffix(name, ";1"), ";2")
		}
		if name != "" {
			names = append(names, name)
		}
	}
	return names
}

// last is the group that a group is in.
func (c *cdrGroup) last() *cdrGroup {
	for c != nil && c.into != nil {
		c = c.into
	}
	return c
}

// touches tells whether the channel of that name is the same one in the row.
func (c *cdrGroup) touches(name string, r cdrRow) bool {
	for _, other := range c.rows {
		if slices.Contains(other.names(), name) && !r.start.After(other.end.Add(touching)) &&
			!other.start.After(r.end.Add(touching)) {
			return true
		}
	}
	return false
}

func (g *cdrGroups) merge(a, b *cdrGroup) *cdrGroup {
	b.into = a
	a.rows = append(a.rows, b.rows...)
	b.rows = nil
	if b.latest.After(a.latest) {
		a.latest = b.latest
	}
	return a
}

// tell tells a group, and lets go of what leads to it.
func (g *cdrGroups) tell(c *cdrGroup, each func([]cdrRow)) {
	if c.into != nil {
		return
	}
	for _, r := range c.rows {
		if g.linked[r.linked].last() == c {
			delete(g.linked, r.linked)
		}
		for _, name := range r.names() {
			if g.names[name].last() == c {
				delete(g.names, name)
			}
		}
	}
	each(c.rows)
}

func (g *cdrGroups) flush(each func([]cdrRow)) {
	for _, c := range g.order {
		g.tell(c, each)
	}
	g.order = nil
}
