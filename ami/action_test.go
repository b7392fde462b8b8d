package ami

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
)

func TestActionEncode(t *testing.T) {
	a := Action{Name: "Originate"}.With("Channel", "PJSIP/101").With("Variable", "a=1:2").With("Variable", "b=Анна").With("Empty", "")
	got, err := a.Encode()
	want := "Action: Originate\r\nChannel: PJSIP/101\r\nVariable: a=1:2\r\nVariable: b=Анна\r\nEmpty: \r\n\r\n"
	if err != nil || string(got) != want {
		t.Fatalf("got %q, %v", got, err)
	}
	r := NewReader(bytes.NewReader(got), Bounds{})
	m, err := r.Next()
	if err != nil || len(m.Fields()) != 5 {
		t.Fatalf("reads back as %v, %v", m, err)
	}
}

func TestActionEncodeRefuses(t *testing.T) {
	action := func(key, value string) Action { return Action{Name: "Setvar"}.With(key, value) }
	many := Action{Name: "Setvar"}
	for range 128 {
		many = many.With("Variable", "x")
	}
	tests := []struct {
		name string
		a    Action
		says string
	}{
		{"no name", Action{}, "no name"},
		{"line break in name", Action{Name: "Ping\r\nAction: Logoff"}, "line break"},
		{"CR LF in value", action("Value", "x\r\nAction: Originate\r\nApplication: System"), "line break"},
		{"CR in value", action("Value", "x\rAction: Originate"), "line break"},
		{"LF in value", action("Value", "x\n\nAction: Originate\n\n"), "line break"},
		{"NUL in value", action("Value", "x\x00y"), "NUL"},
		{"LF at the end", action("Value", "x\n"), "line break"},
		{"LF in key", action("Val\nue", "x"), "control"},
		{"NUL in key", action("Val\x00ue", "x"), "control"},
		{"colon in key", action("Value: x", "y"), "colon"},
		{"space in key", action("Value ", "y"), "space"},
		{"empty key", action("", "y"), "no name"},
		{"second action", action("aCTION", "Originate"), "second name"},
		{"line too long", action("Value", strings.Repeat("x", 1024-len("Value: \r\n")+1)), "1025 bytes"},
		{"many headers", many, "128 headers"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, err := tt.a.Encode()
			if err == nil || !strings.Contains(err.Error(), tt.says) || b != nil {
				t.Errorf("got %q, %v; want an error that says %q", b, err, tt.says)
			}
		})
	}
	if _, err := action("Value", strings.Repeat("x", 1024-len("Value: \r\n"))).Encode(); err != nil {
		t.Errorf("a line of exactly 1024 bytes: %v", err)
	}
}

func TestActionWithLeavesTheReceiver(t *testing.T) {
	base := Action{Name: "A"}.With("x", "1")
	one, two := base.With("y", "1"), base.With("y", "2")
	if one.Headers[1].Value != "1" || two.Headers[1].Value != "2" || len(base.Headers) != 1 {
		t.Errorf("%v %v %v", base.Headers, one.Headers, two.Headers)
	}
}

func TestSecretNeverPrints(t *testing.T) {
	s := Options{Secret: func() string { return "hunter2" }}
	login := s.login()
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "options", s, "login", login)
	all := fmt.Sprintf("%v %+v %#v %v %s", s, s, s, login, login) + log.String()
	if strings.Contains(all, "hunter2") || strings.Contains(all, "68756e746572") {
		t.Errorf("it came out: %s", all)
	}
	if text, err := login.Encode(); err != nil || !strings.Contains(string(text), "hunter2") {
		t.Errorf("it does not reach the PBX: %q (%v)", text, err)
	}
}

// FuzzActionEncode: whatever is put in, either it is refused, or the PBX reads back exactly this one action.
func FuzzActionEncode(f *testing.F) {
	f.Add("Originate", "Channel", "PJSIP/101", "Variable", "a=1")
	f.Add("Ping\r\n\r\nAction: Logoff", "a:b", "x\ny", "", "\x00")
	f.Add("Setvar", "Value", " leading", "Action", "Originate")
	f.Fuzz(func(t *testing.T, name, key1, value1, key2, value2 string) {
		b, err := Action{Name: name}.With(key1, value1).With(key2, value2).Encode()
		if err != nil {
			return
		}
		r := NewReader(bytes.NewReader(b), Bounds{})
		m, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		want := []string{"Action", name, key1, value1, key2, value2}
		for i, field := range m.Fields() {
			if string(field.Key) != want[2*i] || string(field.Value) != want[2*i+1] {
				t.Errorf("header %d is %q: %q, want %q: %q", i, field.Key, field.Value, want[2*i], want[2*i+1])
			}
		}
		if len(m.Fields()) != 3 || m.BadLines() != 0 {
			t.Errorf("%q reads back as %q", b, m)
		}
		if extra, err := r.Next(); err != io.EOF {
			t.Errorf("and something after it: %v, %v", extra, err)
		}
	})
}
