// Package doctor examines a PBX and the configuration together, and says
// what each endpoint is to voipd, what could not be told, and what is missing,
// each with the line to put where.
package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"github.com/voipd/voipd/ami"
	"github.com/voipd/voipd/internal/link"
	"github.com/voipd/voipd/internal/pbx"
	"github.com/voipd/voipd/record"
)

// Finding is one thing that is not as it should be.
type Finding struct {
	What string `json:"what"` // what is wrong, and what it costs
	Do   string `json:"do"`   // the line to put where
}

// Endpoint is one endpoint of the PBX.
type Endpoint struct {
	Name    string // "PJSIP/101"
	Class   string
	Why     string
	State   string // as the PBX calls it
	Context string // where its calls begin; empty: not told
}

// Context is a context of the dialplan in which endpoints' calls begin.
type Context struct {
	Name               string
	Extensions, Trunks int // how many endpoints of each class begin there
}

// Report is the result of an examination.
type Report struct {
	Version   string // of the interface: "AMI 11.0.0"
	Endpoints []Endpoint
	Contexts  []Context // by name
	Findings  []Finding
	Notes     []string // what could not be seen, and how to see it; what converts recordings
}

// Subject is what is examined.
type Subject struct {
	Options     ami.Options // Handle is the doctor's own
	Rules       record.Rules
	Directories []string      // folders of recordings, as voipd finds them
	Wait        time.Duration // for all of it; 0 is 15 s
	Listen      time.Duration // for an event of a call, at most; 0 is 3 s. A quiet PBX shows nothing of its times
}

// ear is what the events that come by themselves show.
type ear struct {
	stamped, bare atomic.Int64 // with a time, without
	classes       sync.Map     // of the events
	heard         chan struct{}
	once          sync.Once // heard is closed at the first event of a call
	clock         offset
	plan          way
}

func (e *ear) hear(m *ami.Message, received time.Time) {
	if m.Event() == nil || m.ActionID() != nil || string(m.Event()) == "FullyBooted" {
		return // Asterisk puts no time on the items of a list, nor on this one
	}
	e.plan.hear(m)
	if at := m.Get("Timestamp"); at != nil {
		e.clock.hear(string(at), received)
		e.stamped.Add(1)
	} else {
		e.bare.Add(1)
	}
	class, _, _ := strings.Cut(string(m.Get("Privilege")), ",")
	e.classes.Store(class, true)
	if class == "call" {
		e.once.Do(func() { close(e.heard) })
	}
}

// Examine connects to the PBX and examines it. The error says why it could not
// be reached.
func Examine(ctx context.Context, s Subject) (*Report, error) {
	r := &Report{}
	r.directories(s.Directories)
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(s.Wait, 15*time.Second))
	defer cancel()
	ear := ear{heard: make(chan struct{})}
	s.Options.Handle = ear.hear
	up, last := make(chan struct{}), make(chan ami.Status, 1)
	var once sync.Once
	s.Options.OnState = func(st ami.Status) {
		switch st.State {
		case link.Up:
			once.Do(func() { close(up) })
		case link.Down:
			select {
			case <-last:
			default:
			}
			last <- st
		}
	}
	client, err := ami.NewClient(s.Options)
	if err != nil {
		return nil, err
	}
	run, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { _ = client.Run(run) })
	defer running.Wait()
	defer stop()
	select {
	case <-up:
	case st := <-last:
		return nil, fmt.Errorf("reach the PBX at %s: %s", s.Options.Address, st.Reason)
	case <-ctx.Done():
		return nil, fmt.Errorf("reach the PBX at %s: %w", s.Options.Address, ctx.Err())
	}
	r.endpoints(ctx, client, s.Rules)
	select { // one event of a call shows whether events carry a time
	case <-ear.heard:
	case <-time.After(cmp.Or(s.Listen, 3*time.Second)):
	case <-ctx.Done():
	}
	r.settings(client.Status(), ear.stamped.Load(), ear.bare.Load())
	r.classes(&ear.classes)
	r.hidden(&ear.plan)
	r.apart(&ear.clock)
	r.cel(ctx, client)
	return r, nil
}

func (r *Report) find(what, do string) { r.Findings = append(r.Findings, Finding{what, do}) }

// directories looks whether recordings can be read at all.
func (r *Report) directories(dirs []string) {
	for _, dir := range dirs {
		if _, err := os.ReadDir(dir); err != nil {
			r.find(fmt.Sprintf("recordings in %s cannot be served: %v", dir, err),
				"check recordings.directories, and that voipd's user may read the folder (systemd: SupplementaryGroups=asterisk)")
		}
	}
}

// Converters notes which programs convert recordings for browsers; err says of
// one that is there why it does not.
func (r *Report) Converters(found []string, err error) {
	if err != nil {
		r.find(fmt.Sprintf("a converter of recordings does not work: %v", err), "mend it, or name another one as converter in [recordings]")
	}
	if len(found) > 0 {
		r.Notes = append(r.Notes, "Recordings that browsers do not play are converted by "+strings.Join(found, " and ")+".")
	} else if err == nil {
		r.find("neither ffmpeg nor sox is installed: recordings in GSM, WAV49, µ-law, A-law, G.722 and SLN are offered as they are, and browsers do not play them",
			"apt-get install ffmpeg, then systemctl restart voipd")
	}
}

// settings looks at what the session showed of manager.conf.
func (r *Report) settings(st ami.Status, stamped, bare int64) {
	r.Version = "AMI " + st.Version
	for _, w := range st.Warnings {
		r.find(w, "write = reporting in the user's section of manager.conf")
	}
	if stamped == 0 && bare > 0 {
		r.find("events carry no time: voipd takes the time of receipt", "timestampevents = yes in [general] of manager.conf")
	}
	if !st.Booted {
		r.find("FullyBooted did not come: a restart of the PBX is noticed only by the lost link", "read = …,system in the user's section of manager.conf")
	}
}

// classes looks at the classes of the events that came while it listened. A
// missing class is silent: its events just do not come.
func (r *Report) classes(came *sync.Map) {
	_, calls := came.Load("call")
	_, plan := came.Load("dialplan")
	switch {
	case !calls:
		r.Notes = append(r.Notes, "No call took place while it listened: whether every class of events comes could not be seen. Look again during a call.")
	case !plan:
		r.find("events of calls come, but none of class dialplan: the names of recordings and the way through menus are not told", "read = call,agent,dialplan,… in the user's section of manager.conf")
	}
}

// cel asks whether CEL is on, from which voipd repairs what it missed. Without
// the right to ask it says nothing.
func (r *Report) cel(ctx context.Context, c *ami.Client) {
	answer, err := c.Do(ctx, ami.Action{Name: "Command", Headers: []ami.Header{{Key: "Command", Value: "cel show status"}}})
	if err != nil {
		r.Notes = append(r.Notes, "Whether CEL is on could not be asked (write = command in manager.conf lets doctor ask). voipd fills gaps from it.")
		return
	}
	for line := range answer.All("Output") {
		if strings.Contains(string(line), "CEL Logging: Disabled") {
			r.find("CEL is off: calls that voipd did not see can be told from CDR only, or not at all", "enable = yes, apps = all, events = ALL in [general] of cel.conf")
		}
	}
}

// endpoints lists what the PBX has, each with its class and why.
func (r *Report) endpoints(ctx context.Context, c *ami.Client, rules record.Rules) {
	all, err := pbx.ListEndpoints(ctx, c)
	if err != nil {
		r.find(err.Error(), "ask again")
	}
	for _, e := range all {
		class, why := rules.Class(e.Name, e.Class, e.Why)
		r.Endpoints = append(r.Endpoints, Endpoint{Name: e.Name, Class: class, Why: why, State: e.State, Context: e.Context})
		r.doubt(e, class)
	}
	switch {
	case len(all) > 0 || err != nil:
	case bare(ctx, c):
		r.Notes = append(r.Notes, "The PBX has no endpoint yet: what is an extension and what a trunk could not be seen.")
	default:
		r.find("the PBX listed no endpoint: what is an extension and what a trunk is told by their names alone", "write = system,reporting in the user's section of manager.conf")
	}
	slices.SortFunc(r.Endpoints, func(a, b Endpoint) int { return cmp.Compare(a.Name, b.Name) })
	r.contexts()
}

// bare tells whether the PBX says that it has no endpoints, and not that it does
// not tell.
func bare(ctx context.Context, c *ami.Client) bool {
	_, err := c.List(ctx, ami.Action{Name: "PJSIPShowEndpoints"})
	var refused *ami.ActionError
	return err == nil || errors.As(err, &refused) && strings.HasPrefix(refused.Message, "No endpoints")
}

// doubt compares an endpoint's class with what the PBX shows it to be.
func (r *Report) doubt(e pbx.Endpoint, class string) {
	trunk, phone := e.Class == record.ClassTrunk, e.Class != "" && e.Class != record.ClassTrunk
	switch {
	case class != "trunk" && trunk:
		r.find(fmt.Sprintf("%s is held for %s, but %s", e.Name, class, e.Why), fmt.Sprintf("trunks = ['^%s$'] in [numbers]", e.Name))
	case class == "trunk" && phone:
		r.find(fmt.Sprintf("%s is held for a trunk, but %s", e.Name, e.Why), "a pattern that matches it in extensions of [numbers], unless it is a trunk")
	case class == "trunk" && e.Class == "":
		r.find(fmt.Sprintf("%s is held for a trunk because nothing tells what it is", e.Name), fmt.Sprintf("trunks = ['^%s$'] in [numbers], or a pattern that matches it in extensions", e.Name))
	}
}

// contexts tells of each context whose calls begin there: a context with
// phones and trunks in it would let outsiders dial out.
func (r *Report) contexts() {
	classes := map[string]map[string]int{}
	for _, e := range r.Endpoints {
		if e.Context == "" {
			continue
		}
		kind, _, _ := strings.Cut(e.Class, " ")
		if kind == record.ClassOperator {
			kind = record.ClassExtension
		}
		if classes[e.Context] == nil {
			classes[e.Context] = map[string]int{}
		}
		classes[e.Context][kind]++
	}
	for _, name := range slices.Sorted(maps.Keys(classes)) {
		n := classes[name]
		r.Contexts = append(r.Contexts, Context{Name: name, Extensions: n["extension"], Trunks: n["trunk"]})
		if n["extension"] > 0 && n["trunk"] > 0 {
			r.find(fmt.Sprintf("the context %s has both phones (%d) and trunks (%d): one of them is held for the wrong thing, or outsiders can dial what phones can", name, n["extension"], n["trunk"]),
				"a context of its own for trunks in pjsip.conf, or trunks and extensions in [numbers]")
		}
	}
}

// Print writes the report for a person.
func (r *Report) Print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, r.Version)
	if len(r.Endpoints) > 0 {
		fmt.Fprint(t, "\nENDPOINT\tCLASS\tSTATE\tCONTEXT\tWHY\n")
	}
	for _, e := range r.Endpoints {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", e.Name, e.Class, e.State, e.Context, e.Why)
	}
	if len(r.Contexts) > 0 {
		fmt.Fprint(t, "\nCONTEXT\tEXTENSIONS\tTRUNKS\n")
	}
	for _, c := range r.Contexts {
		fmt.Fprintf(t, "%s\t%d\t%d\n", c.Name, c.Extensions, c.Trunks)
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("print report: %w", err)
	}
	for _, note := range r.Notes {
		if _, err := fmt.Fprintf(w, "\n%s\n", note); err != nil {
			return fmt.Errorf("print report: %w", err)
		}
	}
	if len(r.Findings) == 0 {
		_, err := fmt.Fprintln(w, "\nNothing is missing.")
		return err
	}
	for _, f := range r.Findings {
		if _, err := fmt.Fprintf(w, "\n! %s\n  → %s\n", f.What, f.Do); err != nil {
			return fmt.Errorf("print report: %w", err)
		}
	}
	return nil
}
