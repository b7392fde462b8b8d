package capture_test

import (
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/voipd/voipd/internal/capture"
	"github.com/voipd/voipd/internal/numbers"
	"github.com/voipd/voipd/record"
)

// captures are the captures of package record.
const captures = "../../record/testdata/captures/"

func replay(t *testing.T, path string) ([]record.Record, capture.Stats) {
	t.Helper()
	rules := numbers.Default()
	rules.Extensions = []*regexp.Regexp{regexp.MustCompile(`^1\d\d$`)}
	m := record.New(rules)
	var out []record.Record
	stats, err := capture.Events(path, nil, func(e record.Event) {
		for _, c := range m.Apply(nil, e) {
			if c.Record != nil {
				out = append(out, *c.Record)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return out, stats
}

// TestWithoutIndex: a bare stream gives the same records; only the times are
// estimates, and these are near.
func TestWithoutIndex(t *testing.T) {
	files, err := filepath.Glob(captures + "*/*/ami.txt.gz")
	if err != nil || len(files) == 0 {
		t.Fatal("no captures", err)
	}
	// Where the caller's line was up before the Dial (IVR, transfer), Asterisk
	// counts ANSWEREDTIME from there; a conference has no Dial at all.
	untellable := map[string]bool{"ivr-101": true, "xfer-blind": true, "conference": true, "page": true}
	for _, file := range files {
		t.Run(file[len(captures):], func(t *testing.T) {
			bare := filepath.Join(t.TempDir(), "ami.txt")
			unpack(t, file, bare)
			want, _ := replay(t, file)
			got, stats := replay(t, bare)
			if !stats.Timeless {
				t.Error("is not said to have no times")
			}
			if len(got) != len(want) {
				t.Fatalf("%d records without an index, %d with it", len(got), len(want))
			}
			for i, w := range want {
				g := got[i]
				if g.CallID != w.CallID || g.Direction != w.Direction || g.Disposition != w.Disposition || g.SrcPhone != w.SrcPhone ||
					g.DstPhone != w.DstPhone || g.Recorded() != w.Recorded() {
					t.Errorf("got %+v\nwant %+v", g, w)
				}
				if off := g.Duration - w.Duration; (off < -1 || off > 1) && !untellable[filepath.Base(filepath.Dir(file))] {
					t.Errorf("%s: estimated duration %d, want %d", w.CallID, g.Duration, w.Duration)
				}
			}
		})
	}
}

func unpack(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	z, err := gzip.NewReader(in)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestRowsByName: the name of a file of rows says whose they are; one that does
// not is no guess.
func TestRowsByName(t *testing.T) {
	for _, source := range []string{"cel", "cdr"} {
		file := captures + "22/in-answered/" + source + ".csv.gz"
		want, _ := replay(t, file)
		if len(want) != 1 || want[0].Details.Source != source {
			t.Fatalf("%s: %+v", source, want)
		}
		names := map[string][]string{"cel": {"cel.csv", "CEL-2026.csv", "cel-custom/Master.csv"}, "cdr": {"pbx-cdr.csv", "Master.csv", "cdr-csv/Master.csv"}}[source]
		for _, name := range names {
			bare := filepath.Join(t.TempDir(), name)
			if err := os.MkdirAll(filepath.Dir(bare), 0o700); err != nil {
				t.Fatal(err)
			}
			unpack(t, file, bare)
			if got, stats := replay(t, bare); len(got) != 1 || got[0].CallID != want[0].CallID || stats.Malformed != 0 {
				t.Errorf("%s: %+v, %+v", name, got, stats)
			}
		}
		bare := filepath.Join(t.TempDir(), "rows.csv")
		unpack(t, file, bare)
		if _, err := capture.Events(bare, nil, func(record.Event) { t.Error("a row was told") }); err == nil {
			t.Error("rows of nobody were read")
		}
	}
}
