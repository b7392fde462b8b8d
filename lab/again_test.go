//go:build lab

package lab

import (
	"context"
	"testing"
)

// maxAgain is how many scenarios of a run may be played again. More are no
// accident of a busy machine.
const maxAgain = 5

// playAgain plays what was not right once more, alone. With six scenarios at
// once a busy machine may be late with a key or a hang-up, and then the call
// that was made is not the written one. What is right alone has passed, and
// the report says what it was in company; what is wrong twice has failed.
func (r *run) playAgain(ctx context.Context, t *testing.T) {
	t.Helper()
	var wrong []Scenario
	for _, s := range r.scenarios {
		if len(r.problems[s.Name]) > 0 && !s.Later {
			wrong = append(wrong, s)
		}
	}
	if len(wrong) == 0 || len(wrong) > maxAgain {
		return
	}
	second := &run{version: r.version, dir: r.dir, office: r.office, daemon: r.daemon, second: r.second,
		scenarios: wrong, problems: map[string][]string{}}
	second.playAll(ctx, t, 1)
	second.ask(ctx, t)
	r.again = map[string][]string{}
	for _, s := range wrong {
		if len(second.problems[s.Name]) == 0 {
			r.again[s.Name] = r.problems[s.Name]
		}
		delete(r.problems, s.Name)
	}
	for name, problems := range second.problems {
		r.problems[name] = append(r.problems[name], problems...)
	}
}
