package lab

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/voipd/voipd/internal/capture"
	"github.com/voipd/voipd/internal/numbers"
	"github.com/voipd/voipd/record"
)

// labRules are the configuration of the laboratory's voipd, and what it learned.
func labRules() record.Rules {
	r := numbers.Default()
	r.Extensions = []*regexp.Regexp{regexp.MustCompile(`^(1\d\d)(?:-[a-z]+)?$`)}
	r.Trunks = []*regexp.Regexp{regexp.MustCompile(`^(PJSIP|IAX2)/trunk-[a-c]$`)}
	r.Dialled = []record.Rewrite{{Match: regexp.MustCompile(`^9(\d{10,})$`), With: "$1"}}
	r.Shown = map[string]string{"PJSIP/anna-desk": record.ClassExtension + " 161"} // the PBX is asked, over AMI
	return r
}

// TestGolden replays captures of the laboratory's own scenarios, from AMI and
// from ARI, and compares the records with what must come of them. Where ARI
// cannot tell, sources.go says so.
func TestGolden(t *testing.T) {
	dirs, err := filepath.Glob("testdata/captures/*/*")
	if err != nil || len(dirs) < 250 {
		t.Fatalf("%d golden captures, want 250 and more (%v)", len(dirs), err)
	}
	for _, dir := range dirs {
		version, scenario := filepath.Base(filepath.Dir(dir)), filepath.Base(dir)
		for _, source := range []string{"ami.txt.gz", "ari.jsonl.gz"} {
			t.Run(version+"/"+scenario+"/"+source[:3], func(t *testing.T) {
				byID := replayed(t, filepath.Join(dir, source))
				for _, e := range expectedOf(t, dir) {
					var found []deviation
					if got := byID[e.CallID]; len(got) == 1 {
						found = e.want().deviations(got[0])
					} else {
						found = []deviation{{"record", fmt.Sprint(len(got)), "1"}}
					}
					for _, d := range found {
						if source == "ari.jsonl.gz" && untellable("ari", scenario, e.Call, d.field, version) != "" {
							continue
						}
						t.Errorf("call %d (%s): %s", e.Call, e.CallID, d)
					}
					delete(byID, e.CallID)
				}
				for id, invented := range byID {
					t.Errorf("invented: %s %+v", id, invented)
				}
			})
		}
	}
}

// replayed gives the records of a capture by call.
func replayed(t *testing.T, path string) map[string][]told {
	t.Helper()
	machine, byID := record.New(labRules()), map[string][]told{}
	_, err := capture.Events(path, nil, func(e record.Event) {
		for _, c := range machine.Apply(nil, e) {
			if c.Record == nil {
				continue
			}
			r := *c.Record
			one := told{string(r.Direction), r.SrcPhone, r.DstPhone, string(r.Disposition), r.Duration, r.Recorded()}
			if c.Kind == record.RecordRevised {
				byID[r.CallID] = nil
			}
			byID[r.CallID] = append(byID[r.CallID], one)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := machine.Open(); n != 0 {
		t.Errorf("%d calls are open at the end", n)
	}
	if err := machine.Check(); err != nil {
		t.Error(err)
	}
	return byID
}

// goldenRecord is one record of expect.json.
type goldenRecord struct {
	Call        int    `json:"call"`
	CallID      string `json:"callId"`
	Direction   string `json:"direction"`
	SrcPhone    texts  `json:"srcPhone"`
	DstPhone    texts  `json:"dstPhone"`
	Disposition texts  `json:"disposition"`
	Duration    *int   `json:"duration"` // null: not judged
	Recorded    bool   `json:"recorded"`
}

// texts is a text, or a list of right ones, joined by "|".
type texts string

func (s *texts) UnmarshalJSON(b []byte) error {
	var list []string
	if json.Unmarshal(b, &list) == nil {
		*s = texts(strings.Join(list, "|"))
		return nil
	}
	return json.Unmarshal(b, (*string)(s))
}

func (e goldenRecord) want() Want {
	w := Want{Direction: e.Direction, Src: string(e.SrcPhone), Dst: string(e.DstPhone), Disposition: string(e.Disposition), Duration: NotJudged}
	if e.Duration != nil {
		w.Duration = *e.Duration
	}
	if e.Recorded {
		w.Audio = NotJudged
	}
	return w
}

func expectedOf(t *testing.T, dir string) []goldenRecord {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "expect.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Records []goldenRecord `json:"records"`
	}
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	return slices.Clip(file.Records)
}
