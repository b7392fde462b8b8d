package daemon

import (
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/voipd/voipd/store"
)

// progress tells how far the database is brought to a new version: in the log
// every ten seconds and at a table's end, and whoever asks. The zero value but for
// its log is that of a database that needs nothing.
type progress struct {
	log    *slog.Logger
	at     atomic.Pointer[store.Moved] // nil: nothing is copied
	logged time.Time
}

// logEvery is how often the progress is logged.
const logEvery = 10 * time.Second

// put takes how far it is. Only one goroutine may call it.
func (p *progress) put(m store.Moved) {
	last := p.at.Swap(&m)
	if last != nil && last.Table == m.Table && m.Done < m.Total && time.Since(p.logged) < logEvery {
		return
	}
	p.logged = time.Now()
	p.log.Info("the database is brought to a new version; calls meanwhile are read from CEL or CDR later, where these are set up", "table", m.Table, "rows", m.Done, "of", m.Total)
}

// line says it in one line.
func (p *progress) line() string {
	if m := p.at.Load(); m != nil {
		return m.String()
	}
	return "opening the database"
}
