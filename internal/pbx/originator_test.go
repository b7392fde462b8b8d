package pbx

import (
	"context"
	"errors"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/contract"
)

// orders is a link that notes its orders.
type orders struct {
	connection
	placed []order
	ended  []string
}

func (l *orders) originate(_ context.Context, o order) error {
	l.placed = append(l.placed, o)
	return nil
}

func (l *orders) hangup(_ context.Context, id string) error {
	l.ended = append(l.ended, id)
	return nil
}

// testOriginator gives an originator that may call for 1xx; 103 is busy and 104
// offline.
func testOriginator(l connection, before func(callID, operator, exten string)) *originator {
	calls := Calls{Sources: []*regexp.Regexp{regexp.MustCompile(`1\d\d`)}, Destinations: []*regexp.Regexp{regexp.MustCompile(`^\+?7\d{10}$`), regexp.MustCompile(`1\d\d`)},
		Channel: "PJSIP/{src}", Context: "from-internal", CallerID: "{src}", RingFor: 30 * time.Second, PerMinute: 3}
	state := func(ext string) string {
		return map[string]string{"103": contract.Busy, "104": contract.Offline}[ext]
	}
	if before == nil {
		before = func(string, string, string) {}
	}
	return newOriginator(calls, l, state, before, func(string) {}, func() time.Time { return time.Unix(1_795_400_000, 0) }, slog.New(slog.DiscardHandler))
}

// TestRefused: everything outside the allow-list is refused, whatever is in it.
func TestRefused(t *testing.T) {
	for _, c := range []struct{ src, dst, code string }{
		{"201", "79031234567", contract.SourceRefused},
		{"1011", "79031234567", contract.SourceRefused},
		{"", "79031234567", contract.SourceRefused},
		{"101\r\nAction: Originate", "79031234567", contract.SourceRefused},
		{"101&PJSIP/trunk", "79031234567", contract.SourceRefused},
		{"101@trunk-a", "79031234567", contract.SourceRefused},
		{"101", "89031234567", contract.NumberRefused},
		{"101", "790312345678", contract.NumberRefused},
		{"101", "", contract.NumberRefused},
		{"101", "79031234567\r\nVariable: X=1", contract.NumberRefused},
		{"101", "79031234567\nApplication: System", contract.NumberRefused},
		{"101", "79031234567\x00", contract.NumberRefused},
		{"101", "7903123456७", contract.NumberRefused},
		{"101", "79031234567,1,Dial", contract.NumberRefused},
		{"101", "${SHELL(id)}", contract.NumberRefused},
		{"101", "79031234567&79031234568", contract.NumberRefused},
		{"101", "79031234567@other-context", contract.NumberRefused},
		{"101", "7903123456789031234567", contract.NumberRefused},
		{"101", strings.Repeat("7", 4000), contract.NumberRefused},
		{"101", "101", contract.NumberRefused},
		{"103", "79031234567", contract.OperatorBusy},
		{"104", "79031234567", contract.OperatorUnreachable},
	} {
		p := &orders{}
		_, err := testOriginator(p, nil).call(context.Background(), "crm", c.src, c.dst)
		var refusal *contract.Refusal
		if !errors.As(err, &refusal) || refusal.Code != c.code || len(p.placed) > 0 {
			t.Errorf("%q to %.40q: %v, orders %v; want %s", c.src, c.dst, err, p.placed, c.code)
		}
	}
	p := &orders{}
	off := testOriginator(p, nil)
	off.calls.Sources = nil
	_, err := off.call(context.Background(), "crm", "101", "79031234567")
	var refusal *contract.Refusal
	if !errors.As(err, &refusal) || refusal.Code != contract.CallsOff {
		t.Errorf("switched off: %v", err)
	}
}

// TestPlaced: the marks for the eye go, the call is stated before the PBX has the order,
// and the fourth call of a minute has to wait.
func TestPlaced(t *testing.T) {
	p := &orders{}
	var ordered string
	d := testOriginator(p, func(id, operator, exten string) { ordered = id + " " + exten })
	id, err := d.call(context.Background(), "crm", " 101 ", "+7 (903) 123-45-67")
	if err != nil || len(p.placed) != 1 {
		t.Fatal(err, p.placed)
	}
	o := p.placed[0]
	if o.id != id || o.channel != "PJSIP/101" || o.exten != "+79031234567" || o.callerID != "101" || ordered != id+" +79031234567" {
		t.Errorf("got %+v, ordered %s", o, ordered)
	}
	for range 2 {
		if _, err := d.call(context.Background(), "crm", "101", "102"); err != nil {
			t.Fatal(err)
		}
	}
	var refusal *contract.Refusal
	if _, err := d.call(context.Background(), "crm", "101", "102"); !errors.As(err, &refusal) || refusal.Code != contract.TooManyCalls {
		t.Errorf("the fourth: %v", err)
	}
	if err := d.hangup(context.Background(), "crm", id, []string{id, "1.2"}); err != nil || len(p.ended) != 2 {
		t.Error(err, p.ended)
	}
}
