package originate_test

import (
	"context"
	"errors"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/internal/originate"
)

// pbx notes what it was asked for.
type pbx struct {
	orders []originate.Order
	ended  []string
}

func (p *pbx) Originate(_ context.Context, o originate.Order) error {
	p.orders = append(p.orders, o)
	return nil
}

func (p *pbx) Hangup(_ context.Context, id string) error { p.ended = append(p.ended, id); return nil }

func desk(p *pbx, change func(*originate.Options)) *originate.Desk {
	opt := originate.Options{PBX: p, Sources: []*regexp.Regexp{regexp.MustCompile(`1\d\d`)}, Destinations: []*regexp.Regexp{regexp.MustCompile(`^\+?7\d{10}$`), regexp.MustCompile(`1\d\d`)},
		Channel: "PJSIP/{src}", Context: "from-internal", CallerID: "{src}", Timeout: 30 * time.Second, PerMinute: 3,
		Busy: func(e string) bool { return e == "103" }, Offline: func(e string) bool { return e == "104" }, Ordered: func(string, string) {},
		Now: func() time.Time { return time.Unix(1_795_400_000, 0) }, Log: slog.New(slog.DiscardHandler)}
	if change != nil {
		change(&opt)
	}
	return originate.New(opt)
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
		p := &pbx{}
		_, err := desk(p, nil).Call(context.Background(), "crm", c.src, c.dst)
		var refusal *contract.Refusal
		if !errors.As(err, &refusal) || refusal.Code != c.code || len(p.orders) > 0 {
			t.Errorf("%q to %.40q: %v, orders %v; want %s", c.src, c.dst, err, p.orders, c.code)
		}
	}
	p := &pbx{}
	_, err := desk(p, func(o *originate.Options) { o.Sources = nil }).Call(context.Background(), "crm", "101", "79031234567")
	var refusal *contract.Refusal
	if !errors.As(err, &refusal) || refusal.Code != contract.CallsOff {
		t.Errorf("switched off: %v", err)
	}
}

// TestPlaced: the marks for the eye go, the order is told before the PBX has it,
// and the fourth call of a minute has to wait.
func TestPlaced(t *testing.T) {
	p := &pbx{}
	var ordered string
	d := desk(p, func(o *originate.Options) {
		o.Ordered = func(id, exten string) { ordered = id + " " + exten }
	})
	id, err := d.Call(context.Background(), "crm", " 101 ", "+7 (903) 123-45-67")
	if err != nil || len(p.orders) != 1 {
		t.Fatal(err, p.orders)
	}
	o := p.orders[0]
	if o.ID != id || o.Channel != "PJSIP/101" || o.Exten != "+79031234567" || o.CallerID != "101" || ordered != id+" +79031234567" {
		t.Errorf("got %+v, ordered %s", o, ordered)
	}
	for range 2 {
		if _, err := d.Call(context.Background(), "crm", "101", "102"); err != nil {
			t.Fatal(err)
		}
	}
	var refusal *contract.Refusal
	if _, err := d.Call(context.Background(), "crm", "101", "102"); !errors.As(err, &refusal) || refusal.Code != contract.TooManyCalls {
		t.Errorf("the fourth: %v", err)
	}
	if err := d.Hangup(context.Background(), "crm", id, []string{id, "1.2"}); err != nil || len(p.ended) != 2 {
		t.Error(err, p.ended)
	}
}
