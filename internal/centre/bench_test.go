package centre_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/internal/databases"
	"github.com/voipd/voipd/internal/fixture"
	"github.com/voipd/voipd/record"
)

// BenchmarkShip is from HTTP to committed: batches of four edges, each of which waits for
// the answer to one before it sends the next. PostgreSQL is beside, with fsync.
func BenchmarkShip(b *testing.B) {
	for _, size := range []int{500, 50, 1} {
		b.Run(fmt.Sprintf("batch=%d", size), func(b *testing.B) {
			h := newHead(b, databases.NewPostgresServer(b, "fsync=on", "shared_buffers=256MB", "max_wal_size=4GB"), "bench")
			must(b, h.AddTenant(b.Context(), "acme"))
			const edges = 4
			var tokens [edges]string
			bodies := make([][][]byte, edges)
			for e := range edges {
				tokens[e] = h.join(b, "acme", fmt.Sprintf("pbx-%d", e))
				bodies[e] = benchBatches(b, e, (b.N+edges-1)/edges, size)
			}
			sent := 0
			b.ResetTimer()
			var all sync.WaitGroup
			for e := range edges {
				sent += len(bodies[e]) * size
				all.Go(func() {
					for _, body := range bodies[e] {
						if got := h.ask(b, http.MethodPost, "/v1/ship", tokens[e], body); got.status != 200 {
							b.Errorf("HTTP %d %s", got.status, got.text)
							return
						}
					}
				})
			}
			all.Wait()
			b.ReportMetric(float64(sent)/b.Elapsed().Seconds(), "changes/s")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// benchBatches are those of an edge, packed before.
func benchBatches(b *testing.B, edge, count, size int) (out [][]byte) {
	b.Helper()
	office := fixture.Office{Begin: time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)}
	z, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest))
	must(b, err)
	for n := range count {
		text, err := json.Marshal(contract.ShipHead{Batch: int64(n + 1), ID: "x", Instance: "db", Begin: n == 0, After: int64(max(0, n-1)), UpTo: int64(n), Mark: "m"})
		must(b, err)
		for i := range size {
			text = append(append(text, '\n'), benchLine(b, office.Call((n*size+i)*4+edge))...)
		}
		out = append(out, z.EncodeAll(append(text, '\n'), nil))
	}
	return out
}

func benchLine(b *testing.B, r record.Record) []byte {
	b.Helper()
	whole := contract.WithPaths(r)
	recordings := whole.Details.Recordings
	whole.Details.Recordings = nil
	details, err := json.Marshal(whole.Details)
	must(b, err)
	text, err := json.Marshal(contract.ShipRecord{CallID: r.CallID, StartedAt: r.Details.StartedAt, Direction: whole.Direction, Disposition: whole.Disposition, SrcPhone: whole.SrcPhone,
		DstPhone: whole.DstPhone, Duration: whole.Duration, Details: details, Recordings: recordings})
	must(b, err)
	return text
}

// BenchmarkBacklog is a backlog of 20,000 records on its way from an edge's SQLite to
// PostgreSQL: by the change log, and, of an edge that has just joined, by being compared.
func BenchmarkBacklog(b *testing.B) {
	const backlog = 20_000
	for _, by := range []string{"log", "comparing"} {
		b.Run("by="+by, func(b *testing.B) {
			h := newHead(b, databases.NewPostgresServer(b, "fsync=on", "shared_buffers=256MB", "max_wal_size=4GB"), "backlog")
			must(b, h.AddTenant(b.Context(), "acme"))
			records, took := 0, time.Duration(0)
			for n := range b.N {
				pbx := fmt.Sprintf("pbx-%d", n)
				token := h.join(b, "acme", pbx)
				db := filled(b, 0, 1, true)
				if by == "log" {
					_, stop := shipping(b, h, db, token)
					h.arrived(b, pbx)
					stop()
				}
				fill(b, db, 1, 1+backlog, true)
				began := time.Now()
				_, stop := shipping(b, h, db, token)
				eventually(b, "the first batch has come", func() bool { return h.waits(b, pbx) })
				h.arrived(b, pbx)
				records, took = records+backlog, took+time.Since(began)
				stop()
			}
			b.ReportMetric(float64(records)/took.Seconds(), "records/s")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func (h *head) one(b *testing.B, pbx string) contract.PBX {
	b.Helper()
	all, err := h.PBXs(b.Context(), "acme")
	must(b, err)
	for _, p := range all {
		if p.Name == pbx {
			return p
		}
	}
	b.Fatalf("there is no PBX %s", pbx)
	return contract.PBX{}
}

// waits tells whether something of a PBX is on its way.
func (h *head) waits(b *testing.B, pbx string) bool {
	b.Helper()
	p := h.one(b, pbx)
	return p.Waiting > 0 || p.Comparing
}

// arrived waits until all of a PBX has come.
func (h *head) arrived(b *testing.B, pbx string) {
	b.Helper()
	eventually(b, "all has come", func() bool { return h.one(b, pbx).State == contract.PBXCurrent })
}
