package setup

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/voipd/voipd/ami"
	"github.com/voipd/voipd/internal/link"
)

// Seen is what a login showed.
type Seen struct {
	Works []string // what was seen to work
	Lacks []string // what is missing, each with the line to put where
}

// loginWithin bounds the login, eventsWithin the wait for the test's events.
const (
	loginWithin  = 20 * time.Second
	eventsWithin = 5 * time.Second
)

// trial is an event that Asterisk is made to send, harmless to calls.
type trial struct {
	class string
	event string   // its name
	field string   // a header of it, with
	value string   // this value
	do    []string // commands of its console
}

// trials lead to one event of each class that can be had without a call.
func trials() []trial {
	return []trial{
		{"call", "DeviceStateChange", "Device", "Custom:voipd-init", []string{"devstate change Custom:voipd-init INUSE", "devstate change Custom:voipd-init NOT_INUSE", "database del CustomDevstate voipd-init"}},
		{"dialplan", "VarSet", "Variable", "VOIPD_INIT", []string{"dialplan set global VOIPD_INIT 1"}},
	}
}

// CheckAMI logs in as the plan has it. On the machine of the PBX it has test
// events sent, and says of each wanted class whether it comes. The error says
// why voipd cannot be let in, or what it would never hear.
func CheckAMI(ctx context.Context, o Options, p *Plan) (*Seen, error) {
	o = o.with()
	came := make(chan string, 64)
	last := make(chan ami.Status, 1)
	up := make(chan struct{})
	var once sync.Once
	client, err := ami.NewClient(ami.Options{
		Address: p.access.address, Username: p.access.username, Secret: func() string { return p.access.secret }, Log: slog.New(slog.DiscardHandler),
		Backoff: link.Backoff{},
		Handle: func(m *ami.Message, _ time.Time) {
			for _, t := range trials() {
				if string(m.Event()) == t.event && string(m.Get(t.field)) == t.value {
					select {
					case came <- t.class:
					default: // one of a class is enough
					}
				}
			}
		},
		OnState: func(s ami.Status) {
			switch s.State {
			case link.Up:
				once.Do(func() { close(up) })
			case link.Down:
				select {
				case <-last:
				default:
				}
				last <- s
			}
		},
	})
	if err != nil {
		return nil, err
	}
	run, stop := context.WithTimeout(ctx, loginWithin)
	var running sync.WaitGroup
	running.Go(func() { _ = client.Run(run) })
	defer running.Wait()
	defer stop()
	if err := await(run, up, last, p.access.address); err != nil {
		return nil, err
	}
	seen := &Seen{}
	seen.session(client.Status(), p.access.username)
	if o.Remote == "" {
		if err := seen.trials(run, o, came, p.access.username); err != nil {
			return nil, err
		}
	}
	return seen, nil
}

// await waits for the login. AMI that was only just switched on may need a
// moment, so that a PBX that cannot be reached is tried again; one that refuses
// is not.
func await(ctx context.Context, up <-chan struct{}, last <-chan ami.Status, address string) error {
	why := "no answer"
	for {
		select {
		case <-up:
			return nil
		case s := <-last:
			if why = s.Reason; strings.Contains(why, "refused:") || strings.Contains(why, "Asterisk 12") {
				return fmt.Errorf("log in to the PBX at %s: %s", address, why)
			}
		case <-ctx.Done():
			return fmt.Errorf("log in to the PBX at %s: %s", address, why)
		}
	}
}

// checkARI asks for a page that only the user gets. An HTTP server that was only
// just switched on may need a moment.
func checkARI(ctx context.Context, a access) error {
	ctx, cancel := context.WithTimeout(ctx, loginWithin)
	defer cancel()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		ask, err := http.NewRequestWithContext(ctx, http.MethodGet, a.address+"/asterisk/info", nil)
		if err != nil {
			return fmt.Errorf("log in to ARI: %w", err)
		}
		ask.SetBasicAuth(a.username, a.secret)
		answer, err := http.DefaultClient.Do(ask)
		if err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return nil
			}
			return fmt.Errorf("log in to ARI at %s: it answers %s; look at the section [%s] of ari.conf", a.address, answer.Status, a.username)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("log in to ARI at %s: %w", a.address, err)
		}
	}
}

// session looks at what the login itself shows.
func (s *Seen) session(st ami.Status, user string) {
	s.Works = append(s.Works, fmt.Sprintf("the PBX lets %s in (AMI %s)", user, st.Version))
	s.Lacks = append(s.Lacks, st.Warnings...)
	if st.Booted {
		s.Works = append(s.Works, "events of class system come")
	} else {
		s.Lacks = append(s.Lacks, "events of class system do not come: read = "+readClasses+" in the section ["+user+"]")
	}
}

// trials has each test event sent and waits for it.
func (s *Seen) trials(ctx context.Context, o Options, came <-chan string, user string) error {
	waiting := map[string]bool{}
	for _, t := range trials() {
		for i, command := range t.do {
			said, err := o.Run(ctx, "", "asterisk", "-rx", command)
			if i > 0 {
				continue // only the first has to work
			}
			if err != nil || strings.Contains(said, "No such command") {
				s.Lacks = append(s.Lacks, "whether events of class "+t.class+" come could not be tried: this Asterisk does not know \""+command+"\"; voipd doctor says during a call")
				break
			}
			waiting[t.class] = true
		}
	}
	limit := time.NewTimer(eventsWithin)
	defer limit.Stop()
	for len(waiting) > 0 {
		select {
		case class := <-came:
			if waiting[class] {
				s.Works = append(s.Works, "events of class "+class+" come")
				delete(waiting, class)
			}
			continue
		case <-limit.C:
		case <-ctx.Done():
		}
		break
	}
	if len(waiting) > 0 {
		var missing []string
		for _, t := range trials() {
			if waiting[t.class] {
				missing = append(missing, t.class)
			}
		}
		return fmt.Errorf("test events of class %s did not come: the section [%s] lacks read = %s, or an eventfilter hides them", strings.Join(missing, " and "), user, readClasses)
	}
	s.permissions(ctx, o, user)
	return nil
}

// permissions asks Asterisk itself for the classes that show nothing without a
// call.
func (s *Seen) permissions(ctx context.Context, o Options, user string) {
	said, err := o.Run(ctx, "", "asterisk", "-rx", "manager show user "+user)
	m := regexp.MustCompile(`(?m)^\s*read perm:\s*(.*)$`).FindStringSubmatch(said)
	if err != nil || m == nil {
		return
	}
	has := strings.Split(m[1], ",")
	if slices.Contains(has, "agent") || slices.Contains(has, "all") {
		s.Works = append(s.Works, "events of class agent are allowed")
	} else {
		s.Lacks = append(s.Lacks, "events of class agent (queues) do not come: read = "+readClasses+" in the section ["+user+"]")
	}
}
