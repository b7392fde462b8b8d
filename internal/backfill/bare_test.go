package backfill_test

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/voipd/voipd/internal/backfill"
)

func TestX(t *testing.T) {
	files, err := filepath.Glob(captures + "*/*/cel.csv.gz")
	if err != nil || len(files) == 0 {
		t.Fatal("no captures", err)
	}
	extra := regexp.MustCompile(`,"[^,]*"$|,"\{.*\}"$`)
	for _, file := range files {
		rows := lines(t, file)
		bare := slices.DeleteFunc(slices.Clone(rows), func(row string) bool { return strings.HasPrefix(row, `"BRIDGE_`) })
		noextra := slices.Clone(rows)
		for i := range noextra {
			noextra[i] = extra.ReplaceAllString(noextra[i], `,""`)
		}
		want, _ := tell(t, backfill.ReadCEL, rows)
		for what, v := range map[string][]string{"bare": bare, "noextra": noextra} {
			got, _ := tell(t, backfill.ReadCEL, v)
			if a, b := fields(want), fields(got); a != b {
				t.Logf("%s %s\nwant %sgot  %s", what, file[len(captures):], a, b)
			}
			for i := range got {
				if len(got[i].Details.Approximate) == 0 {
					t.Logf("%s %s certain %s", what, file[len(captures):], fields(got[i:i+1]))
				}
				if i < len(want) && (want[i].Duration-got[i].Duration > 1 || want[i].Duration-got[i].Duration < -1) {
					t.Logf("%s %s DURATION %d %d", what, file[len(captures):], want[i].Duration, got[i].Duration)
				}
			}
		}
	}
}
