package ami

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// tell reads a stream to its end and says what came, a line a message or error.
func tell(src io.Reader, bounds Bounds) []string { return tellFrom(NewReader(src, bounds)) }

func tellFrom(r *Reader) []string {
	var out []string
	for {
		m, err := r.Next()
		var bad *MalformedError
		switch {
		case err == io.EOF:
			return out
		case errors.As(err, &bad):
			out = append(out, fmt.Sprintf("bad @%d line %d: %s", bad.Offset, bad.Line, bad.Reason))
		case err != nil:
			return append(out, "error "+err.Error())
		default:
			out = append(out, describe(m))
		}
	}
}

func describe(m *Message) string {
	var b strings.Builder
	fmt.Fprintf(&b, "@%d", m.Offset())
	switch {
	case m.Event() != nil:
		fmt.Fprintf(&b, " event %q", m.Event())
	case m.Response() != nil:
		fmt.Fprintf(&b, " response %q", m.Response())
	}
	for _, f := range m.Fields() {
		fmt.Fprintf(&b, " %s=%q", f.Key, f.Value)
	}
	if m.BadLines() > 0 {
		fmt.Fprintf(&b, " bad=%d", m.BadLines())
	}
	return b.String()
}

func TestReader(t *testing.T) {
	long := strings.Repeat("x", 100)
	bounds := Bounds{Line: 64, Message: 160}
	tests := []struct {
		name, in string
		want     []string
	}{
		{"nothing", "", nil},
		{"event", "Event: Hold\r\nChannel: a\r\n\r\n", []string{`@0 event "Hold" Event="Hold" Channel="a"`}},
		{"response", "Response: Success\r\nActionID: 1\r\n\r\n", []string{`@0 response "Success" Response="Success" ActionID="1"`}},
		{"line feeds alone", "Event: A\nX: 1\n\nEvent: B\n\n", []string{`@0 event "A" Event="A" X="1"`, `@15 event "B" Event="B"`}},
		{"spaces", "Event:A\r\nX: \r\nY:\r\nZ:  two\r\n\r\n", []string{`@0 event "A" Event="A" X="" Y="" Z=" two"`}},
		{"colons and broken UTF-8", "event: A\r\nX: a:b: \xd0\r\n\r\n", []string{`@0 event "A" event="A" X="a:b: \xd0"`}},
		{"repeated header", "Event: A\r\nV: 1\r\nV: 2\r\n\r\n", []string{`@0 event "A" Event="A" V="1" V="2"`}},
		{"extra line feeds", "\r\n\r\nEvent: A\r\n\r\n\r\nEvent: B\r\n\r\n", []string{`@4 event "A" Event="A"`, `@18 event "B" Event="B"`}},
		{"banner", "Asterisk Call Manager/11.0.0\r\nResponse: Success\r\n\r\n", []string{`@30 response "Success" Response="Success"`}},
		{"event with a Response header", "Event: OriginateResponse\r\nResponse: Failure\r\n\r\n",
			[]string{`@0 event "OriginateResponse" Event="OriginateResponse" Response="Failure"`}},
		{"neither", "Foo: bar\r\n\r\n", []string{`@0 Foo="bar"`}},
		{"line without colon", "Event: A\r\nrubbish\r\n: nothing\r\nX: 1\r\n\r\nEvent: B\r\n\r\n",
			[]string{`@0 event "A" Event="A" X="1" bad=2`, `@38 event "B" Event="B"`}},
		{"no header at all", "rubbish\r\n\r\nEvent: B\r\n\r\n", []string{`bad @0 line 1: no line of it is a header`, `@11 event "B" Event="B"`}},
		{"line too long", "Event: A\r\nX: " + long + "\r\nY: 1\r\n\r\nEvent: B\r\n\r\n",
			[]string{`bad @0 line 2: line longer than 64 bytes`, `@123 event "B" Event="B"`}},
		{"message too long", "Event: A\r\n" + strings.Repeat("Variable: 1234567890\r\n", 20) + "\r\nEvent: B\r\n\r\n",
			[]string{`bad @0 line 8: message longer than 160 bytes`, `@452 event "B" Event="B"`}},
		{"bound reached by the empty line", "A: " + strings.Repeat("x", 57) + "\n" + "A: " + strings.Repeat("x", 57) + "\n" + "A: " + strings.Repeat("x", 35) + "\n" + "\nEvent: B\n\n",
			[]string{`bad @0 line 4: message longer than 160 bytes`, `@162 event "B" Event="B"`}},
		{"cut off", "Event: A\r\n\r\nEvent: B\r\nX: 1", []string{`@0 event "A" Event="A"`, `bad @12 line 2: the stream ends within it`}},
		{"cut off before the empty line", "Event: A\r\n", []string{`bad @0 line 2: the stream ends within it`}},
		{"command, new style", "Response: Success\r\nOutput: a\r\nOutput: \r\nOutput: b\r\n\r\n",
			[]string{`@0 response "Success" Response="Success" Output="a" Output="" Output="b"`}},
		{"command, old style", "Response: Follows\r\nPrivilege: Command\r\nActionID: 7\r\nOne: 1\n\nPrivilege: no\ntwo--END COMMAND--\r\n\r\nEvent: B\r\n\r\n",
			[]string{`@0 response "Follows" Response="Follows" Privilege="Command" ActionID="7" Output="One: 1" Output="" Output="Privilege: no" Output="two"`, `@96 event "B" Event="B"`}},
		{"NUL and CR within", "Event: A\r\nX: a\x00b\rc\r\n\r\n", []string{`@0 event "A" Event="A" X="a\x00b\rc"`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for how, src := range map[string]io.Reader{
				"whole": strings.NewReader(tt.in), "bytes": iotest.OneByteReader(strings.NewReader(tt.in)),
				"error with data": iotest.DataErrReader(strings.NewReader(tt.in)),
			} {
				if d := cmp.Diff(tt.want, tell(src, bounds)); d != "" {
					t.Errorf("%s (-want +got):\n%s", how, d)
				}
			}
		})
	}
}

func TestReaderGivesTheReadersError(t *testing.T) {
	broken := errors.New("broken")
	r := NewReader(io.MultiReader(strings.NewReader("Event: A\r\n\r\nEvent: B\r\n"), iotest.ErrReader(broken)), Bounds{})
	if _, err := r.Next(); err != nil {
		t.Fatal(err)
	}
	for range 2 { // and keeps saying so
		if _, err := r.Next(); !errors.Is(err, broken) {
			t.Fatalf("got %v, want %v", err, broken)
		}
	}
}

func TestReaderGivesUpOnAReaderThatGivesNothing(t *testing.T) {
	if _, err := NewReader(stuck{}, Bounds{}).Next(); !errors.Is(err, io.ErrNoProgress) {
		t.Fatalf("got %v, want %v", err, io.ErrNoProgress)
	}
}

type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

func TestReadGreeting(t *testing.T) {
	r := NewReader(iotest.OneByteReader(strings.NewReader("Asterisk Call Manager/5.0.4\r\nEvent: A\r\n\r\n")), Bounds{})
	version, err := r.ReadGreeting()
	if version != "5.0.4" || err != nil {
		t.Fatalf("got %q, %v", version, err)
	}
	if m, err := r.Next(); err != nil || string(m.Event()) != "A" {
		t.Fatalf("after the greeting: %v, %v", m, err)
	}
	for _, other := range []string{"SSH-2.0-OpenSSH_9.2p1\r\n", "", strings.Repeat("x", 5000), "HTTP/1.1 400"} {
		if v, err := NewReader(strings.NewReader(other), Bounds{}).ReadGreeting(); err == nil {
			t.Errorf("%.20q taken for a greeting: %q", other, v)
		}
	}
}

func TestMessageLookups(t *testing.T) {
	r := NewReader(strings.NewReader("Event: VarSet\r\nChanVariable: a=1\r\nEmpty: \r\nCHANVARIABLE: b=2\r\n\r\nEvent: Next\r\n\r\n"), Bounds{})
	m, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	kept := m.Clone()
	if _, err := r.Next(); err != nil {
		t.Fatal(err)
	}
	if got := kept.Get("chanvariable"); string(got) != "a=1" {
		t.Errorf("Get: %q", got)
	}
	if got := kept.Get("empty"); got == nil || len(got) != 0 {
		t.Errorf("a header without value gives %#v, want empty and not nil", got)
	}
	if got := kept.Get("absent"); got != nil {
		t.Errorf("no header gives %#v, want nil", got)
	}
	var all []string
	for v := range kept.All("ChanVariable") {
		all = append(all, string(v))
	}
	if d := cmp.Diff([]string{"a=1", "b=2"}, all); d != "" {
		t.Error(d)
	}
	if string(kept.Event()) != "VarSet" || kept.Response() != nil || kept.ActionID() != nil {
		t.Errorf("kind: %q %q %q", kept.Event(), kept.Response(), kept.ActionID())
	}
}

// TestReaderOnCaptures checks what Asterisk really sends against a count that does not share a line of code.
func TestReaderOnCaptures(t *testing.T) {
	for name, data := range captures(t) {
		t.Run(name, func(t *testing.T) {
			want := bytes.Count(data, []byte("\nEvent: ")) + bytes.Count(data, []byte("\nResponse: Success\r\n"))
			got := tell(bytes.NewReader(data), Bounds{})
			if len(got) != want || want == 0 {
				t.Errorf("%d messages, want %d", len(got), want)
			}
			for _, line := range got {
				if strings.HasPrefix(line, "bad") || strings.Contains(line, " bad=") {
					t.Error(line)
				}
			}
			if d := cmp.Diff(got, tell(iotest.OneByteReader(bytes.NewReader(data)), Bounds{})); d != "" {
				t.Errorf("byte by byte it reads otherwise:\n%s", d)
			}
		})
	}
}

func captures(t testing.TB) map[string][]byte {
	paths, err := filepath.Glob("testdata/captures/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no captures: %v", err)
	}
	all := map[string][]byte{}
	for _, p := range paths {
		data, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(p)] = data
	}
	return all
}

func TestReaderAllocatesNothingPerMessage(t *testing.T) {
	data := bytes.Join(sorted(captures(t)), nil)
	src := bytes.NewReader(data)
	r := NewReader(src, Bounds{})
	var id []byte
	got := testing.AllocsPerRun(5, func() {
		src.Reset(data)
		r.err = nil
		for {
			m, err := r.Next()
			if err != nil {
				return
			}
			if v := m.Get("Uniqueid"); v != nil {
				id = v
			}
			for v := range m.All("ChanVariable") {
				id = v
			}
			m.Fields()
		}
	})
	if got != 0 || id == nil {
		t.Errorf("%v allocations a run, want 0", got)
	}
}
