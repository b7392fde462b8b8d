package setup

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"regexp"
	"strings"
)

// reader plans the database user that may read CEL and CDR and nothing else.
// Where init may not make one, it says how.
func (p *planner) reader(ctx context.Context) bool {
	var servers []Source
	for _, s := range p.found.Sources {
		if s.Path == "" {
			servers = append(servers, s)
		}
	}
	if len(servers) == 0 {
		return false
	}
	first := servers[0]
	if p.o.has(dsnFile) {
		return true // of an earlier run, or the admin's
	}
	password := p.o.Random()
	if first.Driver == "mysql" && first.Host == "" && plain(first.Database) {
		version, client, err := p.o.statement(ctx, "SELECT VERSION()")
		if err == nil {
			if made, why := p.makeReader(ctx, client, version, servers, password); made {
				return true
			} else if why != "" {
				p.adviseReader(first, why)
				return false
			}
		}
	}
	p.adviseReader(first, "init may not make a user in that database")
	return false
}

// makeReader plans the user on this machine's MariaDB.
func (p *planner) makeReader(ctx context.Context, client, version string, servers []Source, password string) (made bool, why string) {
	had, _, err := p.o.statement(ctx, "SELECT COUNT(*) FROM mysql.user WHERE user = 'voipd' AND host = 'localhost'")
	if err != nil {
		return false, ""
	}
	if strings.TrimSpace(had) != "0" {
		return false, "the database has a user voipd already"
	}
	sql := fmt.Sprintf("CREATE USER 'voipd'@'localhost' IDENTIFIED BY '%s';\n", password)
	for _, s := range servers {
		if s.Database != servers[0].Database || !plain(s.Table) {
			return false, "CEL and CDR are in different places"
		}
		there, _, err := p.o.statement(ctx, fmt.Sprintf("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = '%s' AND table_name = '%s'", s.Database, s.Table))
		if err != nil {
			return false, ""
		}
		if strings.TrimSpace(there) != "1" {
			return false, fmt.Sprintf("the database %s has no table %s", s.Database, s.Table)
		}
		sql += fmt.Sprintf("GRANT SELECT ON `%s`.`%s` TO 'voipd'@'localhost';\n", s.Database, s.Table)
	}
	step := p.step(beforeFiles, "a user of the database who may read CEL and CDR and nothing else", client)
	step.stdin = sql
	step.undo, step.undoStdin = []string{client}, "DROP USER IF EXISTS 'voipd'@'localhost';\n"
	if strings.HasPrefix(version, "5.5") { // which does not know the words, and has no user before the step
		step.undoStdin = "DELETE FROM mysql.tables_priv WHERE User = 'voipd' AND Host = 'localhost'; DELETE FROM mysql.user WHERE User = 'voipd' AND Host = 'localhost'; FLUSH PRIVILEGES;\n"
	}
	p.add(dsnFile, dsn(servers[0], p.found.socket, password)+"\n", "how voipd reaches the database", 0o640, os.Geteuid(), p.group)
	return true, ""
}

// dsn is how a database is reached.
func dsn(s Source, socket, password string) string {
	if socket != "" {
		return fmt.Sprintf("voipd:%s@unix(%s)/%s", password, socket, s.Database)
	}
	host, port := s.Host, s.Port
	if host == "" {
		host = "127.0.0.1"
	}
	if port == "" {
		port = "3306"
	}
	return fmt.Sprintf("voipd:%s@tcp(%s)/%s", password, net.JoinHostPort(host, port), s.Database)
}

// adviseReader says by which statements an admin makes the user himself.
func (p *planner) adviseReader(s Source, why string) {
	if s.Driver == "postgres" {
		p.advise("CEL and CDR are in PostgreSQL, and %s. There, as its administrator:\n  CREATE USER voipd PASSWORD 'PASSWORD';\n  GRANT SELECT ON %s TO voipd;\nthen put postgres://voipd:PASSWORD@%s/%s into %s (root:voipd, mode 640) and take the # away in %s.", why, p.tables(s.Driver), host(s), s.Database, dsnFile, p.o.Config)
		return
	}
	p.advise("CEL and CDR are in MariaDB, and %s. There, as its administrator:\n  CREATE USER voipd@localhost IDENTIFIED BY 'PASSWORD';\n  GRANT SELECT ON %s.* TO voipd@localhost;\nthen put %s into %s (root:voipd, mode 640) and take the # away in %s.", why, s.Database, dsn(s, p.found.socket, "PASSWORD"), dsnFile, p.o.Config)
}

// tables are those of CEL and CDR on a kind of server.
func (p *planner) tables(driver string) string {
	var all []string
	for _, s := range p.found.Sources {
		if s.Driver == driver {
			all = append(all, s.Table)
		}
	}
	return strings.Join(all, ", ")
}

func host(s Source) string {
	if s.Host == "" {
		return "127.0.0.1"
	}
	return s.Host
}

// plain tells of a name that needs no quoting in SQL.
func plain(name string) bool { return regexp.MustCompile(`^[A-Za-z0-9_]+$`).MatchString(name) }

// statement asks this machine's database server as its administrator. It goes
// in by standard input, so that no list of processes shows it.
func (o Options) statement(ctx context.Context, sql string) (said, client string, err error) {
	var errs []error
	for _, client := range []string{"mariadb", "mysql"} {
		said, err := o.Run(ctx, sql+";\n", client, "--batch", "--skip-column-names")
		if err == nil {
			return strings.TrimSpace(said), client, nil
		}
		errs = append(errs, err)
	}
	return "", "", errors.Join(errs...)
}
