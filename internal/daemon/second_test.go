package daemon_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/voipd/voipd/internal/daemon"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

// TestSecondDaemon: a second voipd with the same database is refused before it
// opens anything, by one who names the first; the first goes on.
func TestSecondDaemon(t *testing.T) {
	o := newOffice(t)
	o.start()
	defer func() {
		if err := o.stop(); err != nil {
			t.Error(err)
		}
	}()
	_, err := daemon.New(context.Background(), o.config, daemon.Options{Log: slog.New(slog.DiscardHandler)})
	var locked *store.LockedError
	if !errors.As(err, &locked) {
		t.Fatalf("a second voipd: %v", err)
	}
	if aside, err := filepath.Glob(o.config.Store.Path + ".corrupt*"); err != nil || len(aside) > 0 {
		t.Errorf("it moved the database: %v %v", aside, err)
	}
	o.play("in-answered")
	if c := o.until(record.CallEnded); c.Record == nil {
		t.Errorf("the first told %+v", c)
	}
	if _, err := os.Stat(o.config.Store.Path); err != nil {
		t.Error(err)
	}
}
