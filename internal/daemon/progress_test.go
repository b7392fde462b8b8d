package daemon_test

import (
	"bytes"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/daemon"
	"github.com/voipd/voipd/internal/fixture"
	"github.com/voipd/voipd/store"
)

// TestOldDatabaseAtStart: while a large table is brought to this version, systemd
// is told to wait, and the log says how far it is.
func TestOldDatabaseAtStart(t *testing.T) {
	dir := t.TempDir()
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "notify"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	t.Setenv("NOTIFY_SOCKET", filepath.Join(dir, "notify"))
	c := officeConfig(dir, "127.0.0.1:1")
	db, err := store.Open(t.Context(), c.Store.Path)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := fixture.Exec(t.Context(), c.Store.Path, `
		DROP TABLE traces;
		CREATE TABLE traces (call_id TEXT PRIMARY KEY, at INTEGER NOT NULL, events BLOB NOT NULL) WITHOUT ROWID;
		WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 3000) INSERT INTO traces SELECT n, n, x'00' FROM c;
		DROP INDEX records_person;
		DROP INDEX records_missed;
		DROP TABLE dismissed;
		DROP TABLE webhooks;
		DROP TABLE answers;
		DROP TRIGGER records_put; DROP TRIGGER records_changed; DROP TRIGGER records_gone;
		DROP TRIGGER recordings_put; DROP TRIGGER recordings_changed; DROP TRIGGER recordings_gone;
		DROP TABLE chunks; DROP TABLE chunk_columns; DROP TABLE found; DROP TABLE places; DROP TABLE unplaced; DROP TABLE placing;
		DROP TABLE pbx_numbers;
		DROP TABLE pbx_endpoints;
		DROP INDEX recordings_kept;
		ALTER TABLE recordings DROP COLUMN erased;
		CREATE INDEX recordings_ready ON recordings (at, call_id, id) WHERE state = 'ready';
		DELETE FROM goose_db_version WHERE version_id >= 10`); err != nil {
		t.Fatal(err)
	}
	c.HTTP.Listen = "nowhere:-1" // the start goes no further than this
	var log bytes.Buffer
	if _, err := daemon.New(t.Context(), c, daemon.Options{Log: slog.New(slog.NewTextHandler(&log, nil))}); err == nil || !strings.Contains(err.Error(), "http.listen") {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), "table=traces rows=3000 of=3000") {
		t.Errorf("the log: %s", &log)
	}
	if err := socket.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"EXTEND_TIMEOUT_USEC=60000000", "STATUS="} {
		var text [200]byte
		n, err := socket.Read(text[:])
		if err != nil || !strings.HasPrefix(string(text[:n]), want) {
			t.Errorf("systemd was told %q, want %s (%v)", text[:n], want, err)
		}
	}
}
