package config

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"
)

// backfill checks the list and gives each place that has no name its kind.
func (k *checker) backfill(list []Backfill) {
	seen := map[string]bool{}
	for i := range list {
		b := &list[i]
		key := fmt.Sprintf("backfill[%d]", i)
		k.oneOf(key+".kind", b.Kind, "cel", "cdr")
		k.oneOf(key+".driver", b.Driver, "csv", "sqlite", "mysql", "postgres")
		if b.Name == "" {
			b.Name = b.Kind
		}
		if seen[b.Name] {
			k.bad(key+".name", "want a name that no other [[backfill]] has, have %q", b.Name)
		}
		seen[b.Name] = true
		file := b.Driver == "csv" || b.Driver == "sqlite"
		switch {
		case file && !filepath.IsAbs(b.Path):
			k.bad(key+".path", "want the absolute path of the file, have %q", b.Path)
		case !file && b.Path != "":
			k.bad(key+".path", "is of csv and sqlite; say in dsn how to reach the server")
		case !file && (b.DSN == "") == (b.DSNFile == ""):
			k.bad(key+".dsn", "want one of dsn and dsn_file")
		}
		if len(b.Columns) > 0 && b.Driver == "csv" {
			k.bad(key+".columns", "is of databases; give a csv file's columns as layout")
		}
		if len(b.Layout) > 0 && b.Driver != "csv" {
			k.bad(key+".layout", "is of csv files; say in columns what a database calls them")
		}
		if _, err := b.Location(); err != nil {
			k.bad(key+".zone", "want a name such as \"Europe/Moscow\" or \"UTC\", have %q", b.Zone)
		}
	}
}

// Location is the zone of dates.
func (b *Backfill) Location() (*time.Location, error) {
	if b.Zone == "" {
		return time.Local, nil
	}
	return time.LoadLocation(b.Zone)
}

// fetchDSNs reads the secrets of the list from where the file says they are.
func (c *Config) fetchDSNs() *Problem {
	for i := range c.Backfill {
		b := &c.Backfill[i]
		if b.DSNFile == "" {
			continue
		}
		key := fmt.Sprintf("backfill[%d].dsn_file", i)
		text, err := readSecret(b.DSNFile)
		if err != nil {
			return &Problem{Key: key, What: err.Error()}
		}
		dsn := strings.TrimSpace(string(text))
		if dsn == "" || strings.ContainsAny(dsn, "\r\n\x00") {
			return &Problem{Key: key, What: b.DSNFile + " does not hold one line with the dsn"}
		}
		b.DSN = Secret(dsn)
	}
	return nil
}
