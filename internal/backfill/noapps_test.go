package backfill_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/backfill"
	"github.com/voipd/voipd/record"
)

// TestWithoutApps: cel.conf that lists no applications leaves APP_START and
// APP_END out. The records are the same but for what only those rows tell.
func TestWithoutApps(t *testing.T) {
	except := map[string]string{
		"in-forward-mobile": "Dial's row alone tells that 105 was asked for",
		"out-9-prefix":      "Dial's row alone tells what the trunk was asked for, and that the 9 is a prefix",
	}
	for _, version := range []string{"16", "22"} {
		dirs, err := os.ReadDir(captures + version)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range dirs {
			all := lines(t, captures+version+"/"+d.Name()+"/cel.csv.gz")
			var bare []string
			for _, row := range all {
				if !strings.HasPrefix(row, `"APP_`) {
					bare = append(bare, row)
				}
			}
			want, got := fields(tellFile(t, all, backfill.Span{})), fields(tellFile(t, bare, backfill.Span{}))
			if (want == got) == (except[d.Name()] != "") {
				t.Errorf("%s/%s, which %q should differ, without APP rows:\ngot  %swant %s", version, d.Name(), except[d.Name()], got, want)
			}
		}
	}
}

// fields are what the app has of records.
func fields(all []record.Record) string {
	var b strings.Builder
	for _, r := range all {
		b.WriteString(strings.Join([]string{r.CallID, string(r.Direction), r.SrcPhone, r.DstPhone, string(r.Disposition), r.Details.EndedAt.Sub(r.Details.StartedAt).Round(100 * time.Millisecond).String()}, " ") + "\n")
	}
	return b.String()
}
