package setup

import (
	"cmp"
	"os"
	"path"
	"regexp"
	"strings"
)

// Source is a place where the PBX writes CEL or CDR.
type Source struct {
	Kind     string `json:"kind"`           // cel, cdr
	Driver   string `json:"driver"`         // csv, sqlite, mysql, postgres
	Path     string `json:"path,omitempty"` // csv, sqlite
	Host     string `json:"host,omitempty"` // mysql, postgres; empty: this machine
	Port     string `json:"port,omitempty"` // empty: the usual one
	Database string `json:"database,omitempty"`
	Table    string `json:"table,omitempty"`
	Zone     string `json:"zone,omitempty"` // of its times; empty: this machine's
	From     string `json:"from"`           // the file that tells

	socket string
}

// sources finds where CEL and CDR are written: the first that voipd can read of
// each, databases before files.
func (f *Found) sources(o Options, dirs *conf) error {
	logs := cmp.Or(dirs.value("directories", "astlogdir"), "/var/log/asterisk")
	odbc, err := readODBC(o, f.Etc)
	if err != nil {
		return err
	}
	read := map[string]*conf{}
	for _, name := range []string{"cel.conf", "cel_odbc.conf", "cel_pgsql.conf", "cel_sqlite3_custom.conf", "cel_custom.conf",
		"cdr.conf", "cdr_adaptive_odbc.conf", "cdr_odbc.conf", "cdr_mysql.conf", "cdr_pgsql.conf", "cdr_sqlite3_custom.conf"} {
		if read[name], err = readConf(o.Root, f.Etc, name); err != nil {
			return err
		}
	}
	var cel, cdr []Source
	if yes(read["cel.conf"].value("general", "enable")) {
		cel = append(cel, odbc.adaptive(read["cel_odbc.conf"], "cel")...)
		cel = append(cel, server(read["cel_pgsql.conf"], "cel", "postgres")...)
		cel = append(cel, files(o, read["cel_sqlite3_custom.conf"], "cel", "sqlite", path.Join(logs, "master.db"))...)
		cel = append(cel, files(o, read["cel_custom.conf"], "cel", "csv", path.Join(logs, "cel-custom", "Master.csv"))...)
	}
	cdr = append(cdr, odbc.adaptive(read["cdr_adaptive_odbc.conf"], "cdr")...)
	cdr = append(cdr, odbc.plain(read["cdr_odbc.conf"])...)
	cdr = append(cdr, server(read["cdr_mysql.conf"], "cdr", "mysql")...)
	cdr = append(cdr, server(read["cdr_pgsql.conf"], "cdr", "postgres")...)
	cdr = append(cdr, files(o, read["cdr_sqlite3_custom.conf"], "cdr", "sqlite", path.Join(logs, "master.db"))...)
	if c := read["cdr.conf"]; len(c.named("csv")) > 0 {
		csv := files(o, c, "cdr", "csv", path.Join(logs, "cdr-csv", "Master.csv"))
		for i := range csv {
			csv[i].Zone = zone(c, "csv")
		}
		cdr = append(cdr, csv...)
	}
	// FreePBX and Issabel keep both in one database, whatever else is there.
	if name, host := freepbxDatabase(o); name != "" && (f.PBX == FreePBX || f.PBX == Issabel) {
		if len(cdr) == 0 || cdr[0].Driver != "mysql" {
			cdr = []Source{{Kind: "cdr", Driver: "mysql", Host: host, Database: name, Table: "cdr", From: f.By}}
		}
		if len(cel) == 0 || cel[0].Driver != "mysql" {
			like := cdr[0]
			like.Kind, like.Table, like.Zone, like.From = "cel", "cel", "", f.By
			cel = []Source{like}
		}
	}
	f.Sources = nil
	for _, all := range [][]Source{cel, cdr} {
		if len(all) > 0 {
			f.Sources = append(f.Sources, all[0])
		}
	}
	f.socket = findSocket(o, f.Sources)
	return nil
}

// zone is UTC where a section says that times are written so.
func zone(c *conf, section string) string {
	if yes(c.value(section, "usegmtime")) {
		return "UTC"
	}
	return ""
}

// files is a file that Asterisk writes, where it is there; a text file comes
// with the first call, its folder with Asterisk.
func files(o Options, c *conf, kind, driver, file string) []Source {
	if len(c.files) == 0 || !o.has(file) && !(driver == "csv" && o.has(path.Dir(file))) {
		return nil
	}
	s := Source{Kind: kind, Driver: driver, Path: file, From: c.base}
	if driver == "sqlite" {
		s.Table = cmp.Or(c.value("master", "table"), kind)
	}
	return []Source{s}
}

// server is a database that a module reaches by itself.
func server(c *conf, kind, driver string) []Source {
	database := c.value("global", "dbname")
	if database == "" {
		return nil
	}
	return []Source{{Kind: kind, Driver: driver, Host: elsewhere(c.value("global", "hostname")), Port: c.value("global", "port"), Database: database,
		Table: cmp.Or(c.value("global", "table"), kind), Zone: zone(c, "global"), From: c.base, socket: c.value("global", "sock")}}
}

// elsewhere is a host, and empty where it is this machine.
func elsewhere(host string) string {
	if host == "localhost" || host == "127.0.0.1" || host == "::1" {
		return ""
	}
	return host
}

// odbc is what res_odbc.conf and odbc.ini name.
type odbc struct{ classes, names *conf }

func readODBC(o Options, etc string) (odbc, error) {
	classes, err := readConf(o.Root, etc, "res_odbc.conf")
	if err != nil {
		return odbc{}, err
	}
	names, err := readConf(o.Root, "/etc", "odbc.ini")
	return odbc{classes, names}, err
}

// adaptive reads a file whose sections name a connection of res_odbc.conf each.
func (o odbc) adaptive(c *conf, kind string) []Source {
	var all []Source
	for _, s := range c.sections {
		connection := c.value(s.name, "connection")
		if connection == "" {
			continue
		}
		all = append(all, o.source(kind, connection, cmp.Or(c.value(s.name, "table"), kind), zone(c, s.name), c.base)...)
	}
	return all
}

// plain reads cdr_odbc.conf.
func (o odbc) plain(c *conf) []Source {
	if c.value("global", "dsn") == "" {
		return nil
	}
	return o.source("cdr", c.value("global", "dsn"), cmp.Or(c.value("global", "table"), "cdr"), zone(c, "global"), c.base)
}

// source follows a connection to its database. One that leads nowhere, or to a
// database that voipd does not read, is none.
func (o odbc) source(kind, connection, table, zone, from string) []Source {
	dsn := o.classes.value(connection, "dsn")
	if dsn == "" || len(o.classes.values(connection, "enabled", 0)) > 0 && !yes(o.classes.value(connection, "enabled")) {
		return nil
	}
	get := func(keys ...string) string {
		for _, key := range keys {
			if v := o.names.value(dsn, key); v != "" {
				return v
			}
		}
		return ""
	}
	driver := strings.ToLower(get("Driver"))
	switch {
	case strings.Contains(driver, "mysql"), strings.Contains(driver, "maria"), strings.Contains(driver, "myodbc"):
		driver = "mysql"
	case strings.Contains(driver, "psql"), strings.Contains(driver, "postgres"):
		driver = "postgres"
	default:
		return nil
	}
	database := get("Database", "DatabaseName")
	if database == "" {
		return nil
	}
	return []Source{{Kind: kind, Driver: driver, Host: elsewhere(get("Server", "Servername")), Port: get("Port"), Database: database, Table: table,
		Zone: zone, From: from, socket: get("Socket")}}
}

// freepbxDatabase is the database of CDR by FreePBX's and Issabel's own files.
func freepbxDatabase(o Options) (name, host string) {
	for _, file := range []string{"/etc/freepbx.conf", "/etc/amportal.conf"} {
		text, err := os.ReadFile(o.at(file))
		if err != nil {
			continue
		}
		name = "asteriskcdrdb"
		key := func(k string) string {
			m := regexp.MustCompile(`(?m)^[^#;/\n]*\b` + k + `\b['"\]]*\s*=\s*['"]?([^'";\s]+)`).FindSubmatch(text)
			if m == nil {
				return ""
			}
			return string(m[1])
		}
		return cmp.Or(key("CDRDBNAME"), name), elsewhere(cmp.Or(key("CDRDBHOST"), key("AMPDBHOST")))
	}
	return "", ""
}

// findSocket is the socket of this machine's MariaDB, where it is one.
func findSocket(o Options, all []Source) string {
	for _, s := range all {
		for _, file := range []string{s.socket, "/run/mysqld/mysqld.sock", "/var/run/mysqld/mysqld.sock", "/var/lib/mysql/mysql.sock"} {
			if s.Driver == "mysql" && s.Host == "" && file != "" && o.has(file) {
				return file
			}
		}
	}
	return ""
}
