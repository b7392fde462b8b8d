package centre

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	_ "github.com/jackc/pgx/v5/stdlib" // the database/sql driver "pgx", for goose
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations/*.sql
var migrations embed.FS

// versionTable is where the version of the tables stands.
const versionTable = "voipd_centre_version"

type pgxpoolParseError = pgconn.ParseConfigError

// Migrate brings a database to this program's version. The user of the DSN becomes the
// owner of what it makes; at the first time it must be allowed to create the role
// voipd_centre, unless there is one. Several processes may do it at once.
func Migrate(ctx context.Context, dsn string) (err error) {
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		return fmt.Errorf("read database.dsn: %w", withoutDSN(err))
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	provider, err := versions(db)
	if err != nil {
		return err
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("bring the centre's tables to this version: %w", withoutDSN(err))
	}
	return nil
}

func versions(db *sql.DB) (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files, goose.WithTableName("public."+versionTable), goose.WithSessionLocker(locker))
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	return provider, nil
}

// newest is the version of this program's tables.
func newest() (version int64, err error) {
	files, err := fs.Glob(migrations, "migrations/*.sql")
	for _, name := range files {
		n, err := goose.NumericComponent(name)
		if err != nil {
			return 0, fmt.Errorf("read migrations: %w", err)
		}
		version = max(version, n)
	}
	return version, err
}

// current tells why the tables are not of this program's version.
func current(ctx context.Context, pool *pgxpool.Pool) error {
	want, err := newest()
	if err != nil {
		return err
	}
	var have int64
	err = pool.QueryRow(ctx, `SELECT coalesce(max(version_id), 0) FROM public.`+versionTable+` WHERE is_applied`).Scan(&have)
	if refused := (*pgconn.PgError)(nil); errors.As(err, &refused) && refused.Code == "42P01" { // undefined_table
		return errors.New("it has no tables of voipd: run voipd centre migrate")
	}
	switch {
	case err != nil:
		return err
	case have > want:
		return fmt.Errorf("its tables are of version %d, this voipd knows only up to %d: install the newer voipd", have, want)
	case have < want:
		return fmt.Errorf("its tables are of version %d, this voipd needs %d: run voipd centre migrate", have, want)
	}
	return nil
}
