package backfill

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	_ "github.com/mattn/go-sqlite3" // the database/sql driver "sqlite3"
)

// dialect is how one kind of database differs from the others.
type dialect struct {
	quote string             // around names
	mark  func(n int) string // the n-th argument, from 1
	raw   string             // before a column, so that its value comes as it is kept
}

// dialTimeout is how long a database server may take to answer at first. With
// readTimeout, a server that hangs is noticed.
const (
	dialTimeout = 10 * time.Second
	readTimeout = 5 * time.Minute
)

// connect prepares a pool for the place, and gives the password in its DSN, if
// any, which must come into no message.
func connect(p SourceOptions) (*sql.DB, dialect, string, error) {
	question := func(int) string { return "?" }
	switch p.Driver {
	case SQLite:
		if p.Path == "" {
			return nil, dialect{}, "", errors.New("no path")
		}
		u := url.URL{Scheme: "file", Opaque: url.PathEscape(p.Path), RawQuery: "mode=ro&_query_only=1&_busy_timeout=5000"}
		pool, err := sql.Open("sqlite3", u.String())
		// A column declared as a time would come changed.
		return pool, dialect{quote: `"`, mark: question, raw: "+"}, "", err
	case MySQL:
		c, err := mysql.ParseDSN(p.DSN)
		if err != nil {
			return nil, dialect{}, "", errors.New("the dsn cannot be read: want user:password@tcp(host:3306)/database or user:password@unix(/path/to/socket)/database")
		}
		c.ParseTime, c.InterpolateParams, c.Timeout, c.ReadTimeout = false, true, dialTimeout, readTimeout
		connector, err := mysql.NewConnector(c)
		if err != nil {
			return nil, dialect{}, "", errors.New(hide(err.Error(), c.Passwd))
		}
		return sql.OpenDB(connector), dialect{quote: "`", mark: question}, c.Passwd, nil
	case Postgres:
		c, err := pgx.ParseConfig(p.DSN)
		if err != nil {
			return nil, dialect{}, "", errors.New("the dsn cannot be read: want postgres://user:password@host/database")
		}
		c.ConnectTimeout = dialTimeout
		return stdlib.OpenDB(*c), dialect{quote: `"`, mark: func(n int) string { return "$" + strconv.Itoa(n) }}, c.Password, nil
	}
	return nil, dialect{}, "", fmt.Errorf("no driver %q: want %s, %s, %s or %s", p.Driver, CSV, SQLite, MySQL, Postgres)
}

// name quotes a column.
func (d dialect) name(s string) string {
	return d.quote + strings.ReplaceAll(s, d.quote, d.quote+d.quote) + d.quote
}

// table quotes a table, perhaps behind its schema.
func (d dialect) table(s string) string {
	parts := strings.Split(s, ".")
	for i := range parts {
		parts[i] = d.name(parts[i])
	}
	return strings.Join(parts, ".")
}

// text is a value of a database as CSV would have it. zoned tells that a time
// is a moment; one that is not is a date and a time of day.
func text(v any, zoned bool) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case []byte:
		return string(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case time.Time:
		if zoned {
			return v.UTC().Format(time.RFC3339Nano)
		}
		return v.Format(dateMicro)
	}
	return fmt.Sprint(v)
}

const dateMicro = "2006-01-02 15:04:05.999999"
