package backfill_test

import (
	"fmt"
	"strings"

	"github.com/voipd/voipd/record"
)

// brief is what tests compare of records: direction, phones, disposition, duration.
func brief(all []record.Record) string {
	var out []string
	for _, r := range all {
		out = append(out, fmt.Sprint(r.Direction, " ", r.SrcPhone, " ", r.DstPhone, " ", r.Disposition, " ", r.Duration))
	}
	return strings.Join(out, "; ")
}
