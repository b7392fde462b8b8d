// Package databases starts real database servers for tests, on a socket in a
// folder of their own. scripts/databases.sh installs them.
package databases

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql" // the database/sql driver "mysql"
	_ "github.com/jackc/pgx/v5/stdlib" // the database/sql driver "pgx"
)

// startWithin bounds the start of a server on a loaded machine.
const startWithin = time.Minute

// MariaDB starts a server for the time of the test and gives the DSN of an
// empty database on it. Without the program, the test is skipped.
func MariaDB(t testing.TB) string {
	t.Helper()
	install, server := program(t, "mariadb-install-db", "mariadb-server"), program(t, "mariadbd", "mariadb-server")
	dir, owner := folder(t, "mysql")
	data, socket := filepath.Join(dir, "data"), filepath.Join(dir, "s")
	run(t, owner, install, "--no-defaults", "--datadir="+data, "--auth-root-authentication-method=normal", "--skip-test-db")
	start(t, owner, server, "--no-defaults", "--datadir="+data, "--socket="+socket, "--pid-file="+dir+"/pid", "--skip-networking",
		"--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=64M", "--default-time-zone=+00:00")
	dsn := "root@unix(" + socket + ")/"
	do(t, "mysql", dsn, `CREATE DATABASE asteriskcdrdb`)
	return dsn + "asteriskcdrdb"
}

// Postgres starts a server for the time of the test and gives the DSN of an
// empty database on it. Without the program, the test is skipped.
func Postgres(t testing.TB) string {
	t.Helper()
	return NewPostgresServer(t).DSN
}

// PostgresServer is a PostgreSQL that a test can kill and start again.
type PostgresServer struct {
	DSN string // of its first database, as its superuser

	start func() (end func(os.Signal))
	end   func(os.Signal)
}

// NewPostgresServer starts one for the time of the test. Without the program, the test is
// skipped.
func NewPostgresServer(t testing.TB, settings ...string) *PostgresServer {
	t.Helper()
	install, server := program(t, "initdb", "postgresql"), program(t, "postgres", "postgresql")
	dir, owner := folder(t, "postgres")
	data := filepath.Join(dir, "data")
	run(t, owner, install, "-D", data, "-A", "trust", "-U", "voipd", "-E", "UTF8", "--no-sync")
	args := []string{"-D", data, "-k", dir, "-c", "listen_addresses="}
	if len(settings) == 0 {
		settings = []string{"fsync=off"}
	}
	for _, s := range settings {
		args = append(args, "-c", s)
	}
	s := &PostgresServer{DSN: "host=" + dir + " user=voipd dbname=postgres"}
	s.start = func() func(os.Signal) { return start(t, owner, server, args...) }
	s.Start(t)
	return s
}

// Kill ends the server at once, with all its processes, and without what it does before
// an orderly end: the next start is one after a crash.
func (s *PostgresServer) Kill() { s.end(syscall.SIGQUIT) }

// Start starts a server that was killed, and waits until it takes statements.
func (s *PostgresServer) Start(t testing.TB) {
	t.Helper()
	s.end = s.start()
	do(t, "pgx", s.DSN, `SELECT 1`)
}

// Database makes an empty database and gives its DSN.
func (s *PostgresServer) Database(t testing.TB, name string) string {
	t.Helper()
	do(t, "pgx", s.DSN, `CREATE DATABASE `+name)
	return s.dsnOf(name)
}

// Copy makes a database that has what another one has, and gives its DSN. Nobody may be
// connected to the other one.
func (s *PostgresServer) Copy(t testing.TB, from, name string) string {
	t.Helper()
	do(t, "pgx", s.DSN, `CREATE DATABASE `+name+` TEMPLATE `+from)
	return s.dsnOf(name)
}

func (s *PostgresServer) dsnOf(name string) string {
	return strings.Replace(s.DSN, "dbname=postgres", "dbname="+name, 1)
}

// program finds a server's program, also where Debian keeps PostgreSQL's.
func program(t testing.TB, name, pkg string) string {
	t.Helper()
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if err != nil || len(found) == 0 {
		t.Skipf("%s is missing: apt-get install --no-install-recommends %s", name, pkg)
	}
	return found[len(found)-1]
}

// folder makes a folder whose path is short enough for a socket's. Servers
// refuse to run as root: then it belongs to the server's own user, as whom they
// run.
func folder(t testing.TB, name string) (string, *syscall.Credential) {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "voipd-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if os.Geteuid() != 0 {
		return dir, nil
	}
	u, err := user.Lookup(name)
	if err != nil {
		t.Skipf("a server does not run as root, and there is no user %s: %v", name, err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(dir, int(uid), int(gid)); err != nil {
		t.Fatal(err)
	}
	return dir, &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

func command(ctx context.Context, owner *syscall.Credential, name string, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, name, args...)
	c.Dir, c.Env = "/", append(os.Environ(), "LC_ALL=C.UTF-8", "TZ=UTC")
	c.SysProcAttr = &syscall.SysProcAttr{Credential: owner}
	return c
}

func run(t testing.TB, owner *syscall.Credential, name string, args ...string) {
	t.Helper()
	if said, err := command(t.Context(), owner, name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, said)
	}
}

// start starts a server that is killed when the test is over, or earlier by what it
// gives.
func start(t testing.TB, owner *syscall.Credential, name string, args ...string) (end func(os.Signal)) {
	t.Helper()
	log, err := os.CreateTemp(t.TempDir(), "log")
	if err != nil {
		t.Fatal(err)
	}
	c := command(context.Background(), owner, name, args...)
	c.Stdout, c.Stderr = log, log
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	var once sync.Once
	end = func(how os.Signal) {
		once.Do(func() {
			_ = c.Process.Signal(how) // it may have ended itself
			_ = c.Wait()
		})
	}
	t.Cleanup(func() {
		end(syscall.SIGKILL)
		if text, err := os.ReadFile(log.Name()); err == nil && t.Failed() {
			t.Logf("%s said:\n%s", name, text)
		}
	})
	return end
}

// do runs a statement as soon as the server takes it.
func do(t testing.TB, driver, dsn, statement string) {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	ctx, cancel := context.WithTimeout(t.Context(), startWithin)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err = db.ExecContext(ctx, statement); err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal(fmt.Errorf("the server does not start: %w", err))
		}
	}
}
