package api_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/fixture"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

const exported = 100_000

// BenchmarkExport says what a record of a kilobyte costs in a page of 100 and in
// an export of 100,000 records, through the whole handler, and in the sqlite3
// shell, which prints the same rows and their recordings.
func BenchmarkExport(b *testing.B) {
	path := filepath.Join(b.TempDir(), "voipd.db")
	db, err := store.Open(context.Background(), path)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	for n := 0; n < exported; n += 10_000 {
		var all store.Batch
		for i := range 10_000 {
			all.Put(wholeCall(n + i))
		}
		if err := db.Commit(context.Background(), &all); err != nil {
			b.Fatal(err)
		}
	}
	h := benched(db)
	for _, c := range []struct {
		path    string
		records int
	}{{"/v1/records", 100}, {"/v1/records.ndjson", exported}, {"/v1/records.csv", exported}} {
		b.Run(strings.TrimPrefix(c.path, "/v1/"), func(b *testing.B) {
			b.ReportAllocs()
			began := cpu(b)
			for b.Loop() {
				r, w := get(url.Values{}), &discarded{header: http.Header{}}
				r.URL.Path = c.path
				h.ServeHTTP(w, r)
				if w.bytes < c.records*50 {
					b.Fatalf("%d bytes", w.bytes)
				}
			}
			b.ReportMetric(float64((cpu(b)-began).Microseconds())/float64(b.N*c.records), "cpu-µs/record")
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*c.records), "µs/record")
		})
	}
	shell, err := exec.LookPath("sqlite3")
	if err != nil {
		b.Log("no sqlite3 shell to compare with")
		return
	}
	for _, c := range []struct {
		name          string
		limit, repeat int
	}{{"shell-page", 100, 200}, {"shell-export", exported, 1}} {
		b.Run(c.name, func(b *testing.B) {
			query := fmt.Sprintf("SELECT r.*, f.* FROM (SELECT * FROM records ORDER BY started_at DESC, call_id DESC LIMIT %d) r LEFT JOIN recordings f USING (call_id);\n", c.limit)
			var busy time.Duration
			for b.Loop() {
				cmd := exec.Command(shell, "-readonly", path)
				cmd.Stdin = strings.NewReader(strings.Repeat(query, c.repeat))
				if err := cmd.Run(); err != nil {
					b.Fatal(err)
				}
				busy += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
			}
			b.ReportMetric(float64(busy.Microseconds())/float64(b.N*c.limit*c.repeat), "cpu-µs/record")
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*c.limit*c.repeat), "µs/record")
		})
	}
}

// discarded is an answer of which only the size is kept.
type discarded struct {
	header http.Header
	bytes  int
}

func (d *discarded) Header() http.Header { return d.header }
func (d *discarded) WriteHeader(int)     {}
func (d *discarded) Write(p []byte) (int, error) {
	d.bytes += len(p)
	return len(p), nil
}

// cpu is how long the process has computed: what counts where others compute too.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// wholeCall is a call with what a call through a queue has besides.
func wholeCall(n int) record.Record {
	r := fixture.Office{Begin: begin()}.Call(n)
	at, d := r.Details.StartedAt, &r.Details
	d.AnsweredAt, d.TalkMS, d.RingMS, d.WaitMS, d.DID, d.CallerName, d.Queue, d.QueueWaitMS = at.Add(9500*time.Millisecond), 50_500, 9500, 9500, "74951234567", "Петров Иван", "sales", 9000
	for i := range 3 {
		d.Rang = append(d.Rang, record.Rang{Phone: fixture.OfficeOperator((n + i) % 200), At: at.Add(time.Duration(i) * 3001 * time.Millisecond), MS: 3000, Outcome: "no_answer"})
	}
	d.Conversations = []record.Conversation{{A: r.SrcPhone, B: r.DstPhone, At: d.AnsweredAt, MS: 50_500}}
	for _, field := range []string{"direction", "disposition", "srcPhone", "dstPhone"} {
		d.Why = append(d.Why, record.Reason{Field: field, Rule: "the one that answered in the queue", At: at})
	}
	d.HangupCause, d.HangupBy, d.PBX = 16, r.SrcPhone, "pbx1"
	return r
}
