//go:build lab

package lab

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// awaitWell waits until voipd says that the PBX is there and nothing is left to
// repair.
func (d *Daemon) awaitWell(ctx context.Context, within time.Duration) error {
	var h struct {
		Status    string
		Problems  []string
		OpenCalls int
		Repair    struct{ OpenGaps int }
	}
	last := "not asked yet"
	for end := time.Now().Add(within); time.Now().Before(end); {
		res, err := d.get(ctx, d.base+"/v1/health", true)
		switch {
		case err != nil:
			last = err.Error()
		case json.Unmarshal(res.body, &h) != nil || res.status != http.StatusOK || h.Repair.OpenGaps > 0 || h.OpenCalls > 0:
			last = fmt.Sprintf("%d %s", res.status, res.body)
		default:
			return nil
		}
		if err := pause(ctx, 200*time.Millisecond); err != nil {
			return err
		}
	}
	return fmt.Errorf("voipd does not recover: %s", last)
}

// account is what came of comparing.
type account struct {
	calls, right, approximate, byCEL int
	silent                           int // recordings that CEL, alone, did not tell
	unsure                           int // calls of which the other voipd is not sure, though it saw everything
	wrong                            []string
}

func (a *account) bad(format string, args ...any) {
	a.wrong = append(a.wrong, fmt.Sprintf(format, args...))
}

// verdict waits for the records to be right, and looks once more a little
// later: right once is to be right for good.
func (s *storm) verdict(ctx context.Context) {
	var a *account
	for end := time.Now().Add(settles); ; {
		var err error
		if a, err = s.compare(ctx); err != nil {
			s.t.Fatal(err)
		}
		if len(a.wrong) == 0 || time.Now().After(end) {
			break
		}
		if err := pause(ctx, 2*time.Second); err != nil {
			s.t.Fatal(err)
		}
	}
	if err := pause(ctx, 2*time.Second); err != nil {
		s.t.Fatal(err)
	}
	a, err := s.compare(ctx)
	if err != nil {
		s.t.Fatal(err)
	}
	s.tell(a)
	if s.t.Failed() {
		s.keep()
	}
}

// compare compares what the tortured voipd tells with what the other one does.
func (s *storm) compare(ctx context.Context) (*account, error) {
	from, to := s.began.Add(-3*time.Hour), time.Now().Add(3*time.Hour) // the clock was set
	truth, err := s.daemon.Records(ctx, from, to)
	if err != nil {
		return nil, err
	}
	told, err := s.tried.Records(ctx, from, to)
	if err != nil {
		return nil, err
	}
	byID := map[string]Record{}
	for _, r := range told {
		byID[r.CallID] = r
	}
	a := &account{calls: len(truth)}
	for _, want := range truth {
		got, has := byID[want.CallID]
		delete(byID, want.CallID)
		s.one(a, want, got, has)
	}
	for _, r := range byID {
		a.bad("invented: %s: %s, told by %s, %q", s.office.watch.ownerOf(r.CallID), describe([]Record{r}), r.Details.Source, r.Details.Approximate)
	}
	return a, nil
}

func (s *storm) one(a *account, want, got Record, has bool) {
	owner := s.office.watch.ownerOf(want.CallID)
	switch {
	case !has:
		a.bad("missing: %s: %s", owner, describe([]Record{want}))
		return
	case len(want.Details.Approximate) > 0:
		a.unsure++
		return
	}
	if got.Details.Source == "cel" {
		a.byCEL++
	}
	if len(got.Details.Approximate) > 0 {
		a.approximate++
		return
	}
	right := true
	p, i := s.callOf(want.CallID)
	for _, d := range want.told().differences(got.told()) {
		if d.field == "recorded" && d.want == "true" && got.Details.Source == "cel" {
			a.silent++
			continue
		}
		if p != nil && p.Calls[i].Want != nil && !p.Calls[i].Want.rules(d.field, got.told()) && !p.Calls[i].Want.rules(d.field, want.told()) {
			continue // both are right
		}
		if p != nil && got.Details.Source == "cel" && untellable("cel", p.Name, i+1, d.field, s.version.Name) != "" {
			continue // no row says it
		}
		right = false
		a.bad("wrong: %s: %s, told by %s: %s", owner, describe([]Record{got}), got.Details.Source, d)
	}
	if right {
		a.right++
	}
}

func (s *storm) tell(a *account) {
	who := fmt.Sprintf("lab: Asterisk %s: torture:", s.version.Name)
	total := s.storm.Tell(who)
	fmt.Printf("%s %d faults, %d scenarios (%d not played to their end), %d records: %d right, %d approximate, %d of which nobody can be sure; %d told by CEL, which did not tell %d recordings; voipd started again on a full disk %d times\n",
		who, total, len(s.played), s.odd, a.calls, a.right, a.approximate, a.unsure, a.byCEL, a.silent, s.again)
	count := map[string]int{}
	for _, problem := range a.wrong {
		kind, _, _ := strings.Cut(problem, ":")
		count[kind]++
		s.t.Error(problem)
	}
	fmt.Printf("%s %d missing, %d wrong, %d invented\n", who, count["missing"], count["wrong"], count["invented"])
	if a.calls == 0 {
		s.t.Error("no call was told")
	}
}
