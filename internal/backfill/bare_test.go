package backfill_test

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/voipd/voipd/internal/backfill"
	"github.com/voipd/voipd/record"
)

// celCaptures calls f with the rows of each capture.
func celCaptures(t *testing.T, f func(name string, rows []string)) {
	t.Helper()
	files, err := filepath.Glob(captures + "*/*/cel.csv.gz")
	if err != nil || len(files) == 0 {
		t.Fatal("no captures", err)
	}
	for _, file := range files {
		f(filepath.ToSlash(filepath.Dir(file))[len(captures):], lines(t, file))
	}
}

// TestWithoutBridges: cel.conf that leaves rows of bridges out. The records are
// the same, and say that they are approximate where there was a conversation.
func TestWithoutBridges(t *testing.T) {
	celCaptures(t, func(name string, rows []string) {
		want, _ := tell(t, backfill.ReadCEL, rows)
		got, _ := tell(t, backfill.ReadCEL, slices.DeleteFunc(slices.Clone(rows), func(row string) bool { return strings.HasPrefix(row, `"BRIDGE_`) }))
		if fields(want) != fields(got) {
			t.Errorf("%s without rows of bridges:\ngot  %swant %s", name, fields(got), fields(want))
			return
		}
		for i, r := range got {
			if off := r.Duration - want[i].Duration; off < -1 || off > 1 {
				t.Errorf("%s: %s lasts %d s, want %d", name, r.CallID, r.Duration, want[i].Duration)
			}
			if len(r.Details.Conversations) > 0 && len(r.Details.Approximate) == 0 {
				t.Errorf("%s: %s is told as certain", name, r.CallID)
			}
		}
	})
}

// TestWithoutExtra: a table without the column extra. Who talked and how long is
// the same; why a call was not answered is not in it, and the record says so.
func TestWithoutExtra(t *testing.T) {
	extra := regexp.MustCompile(`,"[^,]*"$|,"\{.*\}"$`)
	celCaptures(t, func(name string, rows []string) {
		want, _ := tell(t, backfill.ReadCEL, rows)
		for i := range rows {
			rows[i] = extra.ReplaceAllString(rows[i], `,""`)
		}
		got, _ := tell(t, backfill.ReadCEL, rows)
		if len(got) != len(want) {
			t.Errorf("%s: %d records without extra, want %d", name, len(got), len(want))
			return
		}
		for i, r := range got {
			w := want[i]
			if len(r.Details.Approximate) == 0 && r.Details.MergedInto == "" { // which no hangup ends
				t.Errorf("%s: %s is told as certain", name, r.CallID)
			}
			if (r.Disposition == record.Answered) != (w.Disposition == record.Answered) || r.Duration < w.Duration-1 || r.Duration > w.Duration+1 ||
				r.SrcPhone != w.SrcPhone || r.DstPhone != w.DstPhone {
				t.Errorf("%s: without extra %sinstead of %s", name, fields(got[i:i+1]), fields(want[i:i+1]))
			}
		}
	})
}

// celRows writes rows of CEL: event, second, number, exten (or context:exten), channel, application
// and data, uniqueid, linkedid, peer or what is in extra.
func celRows(rows ...[8]string) []string {
	var out []string
	for _, r := range rows {
		app, data, _ := strings.Cut(r[5], ":")
		id, linked, _ := strings.Cut(r[6], " ")
		context, exten, there := strings.Cut(r[3], ":")
		if !there {
			context, exten = "ctx", r[3]
		}
		peer, extra := r[7], ""
		if strings.HasPrefix(peer, "{") {
			peer, extra = "", strings.ReplaceAll(peer, `"`, `""`)
		}
		out = append(out, `"`+strings.Join([]string{r[0], "17930000" + r[1], "", r[2], r[2], "", "", exten, context, r[4], app, data, id, linked, peer, "", extra}, `","`)+`"`)
	}
	return out
}

// TestRowsCutShort: tables of which a column or a kind of row is missing, each
// with a call that was answered.
func TestRowsCutShort(t *testing.T) {
	caller, phone := "PJSIP/trunk-a-00000001", "PJSIP/104-00000002"
	for _, c := range []struct {
		what, want string
		rows       []string
	}{
		{"only beginnings, answers and ends", "in 79031000031 104 answered 5", celRows(
			[8]string{"CHAN_START", "00.1", "79031000031", "74951234567", caller, "", "a.1 a.1"},
			[8]string{"CHAN_START", "01.1", "104", "s", phone, "", "a.2 a.1"},
			[8]string{"ANSWER", "03.1", "104", "104", phone, "AppDial", "a.2 a.1"},
			[8]string{"ANSWER", "03.2", "79031000031", "104", caller, "Dial:PJSIP/104", "a.1 a.1"},
			[8]string{"CHAN_END", "08.3", "104", "", phone, "AppDial", "a.2 a.1"},
			[8]string{"CHAN_END", "08.4", "79031000031", "104", caller, "", "a.1 a.1"})},
		{"bridges without names, whom by the column peer", "in 79031000031 104 answered 5", celRows(
			[8]string{"CHAN_START", "00.1", "79031000031", "74951234567", caller, "", "a.1 a.1"},
			[8]string{"CHAN_START", "01.1", "104", "s", phone, "", "a.2 a.1"},
			[8]string{"ANSWER", "03.1", "104", "104", phone, "AppDial", "a.2 a.1"},
			[8]string{"BRIDGE_ENTER", "03.2", "104", "", phone, "AppDial", "a.2 a.1"},
			[8]string{"BRIDGE_ENTER", "03.3", "79031000031", "104", caller, "Dial:PJSIP/104", "a.1 a.1", phone},
			[8]string{"BRIDGE_EXIT", "08.4", "104", "", phone, "AppDial", "a.2 a.1"},
			[8]string{"BRIDGE_EXIT", "08.5", "79031000031", "104", caller, "Dial:PJSIP/104", "a.1 a.1"},
			[8]string{"CHAN_END", "08.6", "104", "", phone, "AppDial", "a.2 a.1"},
			[8]string{"CHAN_END", "08.7", "79031000031", "104", caller, "", "a.1 a.1"})},
		{"bridges without names, whom by nothing but the time", "internal 105 104 answered 4", celRows(
			[8]string{"CHAN_START", "00.1", "105", "777", "PJSIP/105-00000001", "", "a.1 a.1"},
			[8]string{"CHAN_START", "01.1", "104", "777", phone, "", "a.2 a.2"},
			[8]string{"ANSWER", "03.1", "104", "777", phone, "Pickup", "a.2 a.1"},
			[8]string{"ANSWER", "03.2", "105", "777", "PJSIP/105-00000001", "Wait", "a.1 a.1"},
			[8]string{"BRIDGE_ENTER", "03.2", "104", "", phone, "Bridge", "a.2 a.1"},
			[8]string{"BRIDGE_ENTER", "03.3", "105", "777", "PJSIP/105-00000001", "Wait", "a.1 a.1"},
			[8]string{"BRIDGE_EXIT", "08.1", "104", "", phone, "Bridge", "a.2 a.1"},
			[8]string{"CHAN_END", "08.2", "104", "", phone, "", "a.2 a.1"},
			[8]string{"CHAN_END", "08.3", "105", "777", "PJSIP/105-00000001", "", "a.1 a.1"})},
		{"neither linkedids nor names of bridges", "in 79031000031 104 answered 5", celRows(
			[8]string{"CHAN_START", "00.1", "79031000031", "74951234567", caller, "", "a.1"},
			[8]string{"APP_START", "00.2", "79031000031", "104", caller, "Dial:PJSIP/104", "a.1"},
			[8]string{"CHAN_START", "01.1", "104", "s", phone, "", "a.2"},
			[8]string{"ANSWER", "03.1", "104", "104", phone, "AppDial", "a.2"},
			[8]string{"BRIDGE_ENTER", "03.2", "104", "", phone, "AppDial", "a.2"},
			[8]string{"BRIDGE_ENTER", "03.3", "79031000031", "104", caller, "Dial:PJSIP/104", "a.1", phone},
			[8]string{"BRIDGE_EXIT", "08.4", "104", "", phone, "AppDial", "a.2"},
			[8]string{"CHAN_END", "08.6", "104", "", phone, "AppDial", "a.2"},
			[8]string{"CHAN_END", "08.7", "79031000031", "104", caller, "", "a.1"})},
	} {
		t.Run(c.what, func(t *testing.T) {
			got, _ := tell(t, backfill.ReadCEL, c.rows)
			if said := brief(got); said != c.want || len(got) == 1 && len(got[0].Details.Approximate) == 0 {
				t.Errorf("got %s, approximate %q, want %s, and approximate", said, got[0].Details.Approximate, c.want)
			}
		})
	}
}
