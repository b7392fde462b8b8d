package config

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"sort"
	"strings"

	"github.com/BurntSushi/toml"
)

// CentreFile is the file of "voipd centre", which keeps the records of many PBXs.
type CentreFile struct {
	HTTP     CentreHTTP `toml:"http"`
	Database Database   `toml:"database"`
	Log      Log        `toml:"log"`
}

// CentreHTTP is where the centre listens, for people, apps and edges.
type CentreHTTP struct {
	Listen      string   `toml:"listen"`        // host:port
	TLSCertFile string   `toml:"tls_cert_file"` // its own certificate; empty: plain HTTP, behind a proxy that has one
	TLSKeyFile  string   `toml:"tls_key_file"`
	Hosts       []string `toml:"hosts"`   // names under which the API answers beside localhost and addresses
	Origins     []string `toml:"origins"` // of pages that may call the API from a browser
	Zone        string   `toml:"zone"`    // of times that clients write without an offset; empty: this machine's
}

// Database is the centre's PostgreSQL.
type Database struct {
	DSN          Secret `toml:"dsn"`            // of a user that is a member of the role voipd_centre, or the owner; or:
	DSNFile      string `toml:"dsn_file"`       // a file that holds it
	OwnerDSN     Secret `toml:"owner_dsn"`      // of the tables' owner, for the admin's commands; empty: dsn; or:
	OwnerDSNFile string `toml:"owner_dsn_file"` // a file that holds it
}

// DefaultCentre is what holds where the file is silent.
func DefaultCentre() CentreFile {
	return CentreFile{HTTP: CentreHTTP{Listen: "127.0.0.1:8790", Hosts: []string{}, Origins: []string{}}, Log: Log{Level: "info", Format: "text"}}
}

// LoadCentre reads the file at path over the defaults, checks it, and fetches the
// secrets that it names. The error is an *Error with every problem, or says why the file
// cannot be read.
func LoadCentre(path string) (CentreFile, error) {
	c := DefaultCentre()
	text, err := os.ReadFile(path)
	if err != nil {
		return c, fmt.Errorf("read configuration: %w", err)
	}
	tree := map[string]any{}
	if _, err := toml.Decode(string(text), &tree); err != nil {
		var parse toml.ParseError
		if errors.As(err, &parse) {
			return c, &Error{path, []Problem{{Line: parse.Position.Line, What: parse.Message}}}
		}
		return c, &Error{path, []Problem{{What: err.Error()}}}
	}
	f := &filler{lines: lineIndex(string(text))}
	f.table("", tree, reflect.ValueOf(&c).Elem())
	k := &checker{lines: f.lines}
	k.http(&HTTP{Listen: c.HTTP.Listen, TLSCertFile: c.HTTP.TLSCertFile, TLSKeyFile: c.HTTP.TLSKeyFile, Hosts: c.HTTP.Hosts, Origins: c.HTTP.Origins, Zone: c.HTTP.Zone})
	k.oneOf("log.level", c.Log.Level, "debug", "info", "warn", "error")
	k.oneOf("log.format", c.Log.Format, "text", "json")
	k.dsn("database.dsn", &c.Database.DSN, c.Database.DSNFile)
	k.dsn("database.owner_dsn", &c.Database.OwnerDSN, c.Database.OwnerDSNFile)
	problems := append(f.problems, k.problems...)
	if c.Database.DSN == "" && len(problems) == 0 {
		problems = []Problem{{Key: "database.dsn", What: `not set: give dsn or dsn_file, such as "postgres://voipd:PASSWORD@127.0.0.1/voipd"`}}
	}
	if len(problems) > 0 {
		sort.SliceStable(problems, func(i, j int) bool { return problems[i].Line < problems[j].Line })
		return c, &Error{path, problems}
	}
	if c.Database.OwnerDSN == "" {
		c.Database.OwnerDSN = c.Database.DSN
	}
	return c, nil
}

// dsn fetches a DSN that stands in a file.
func (k *checker) dsn(key string, to *Secret, file string) {
	switch {
	case file == "":
		return
	case *to != "":
		k.bad(key+"_file", "%s is set as well; keep one of the two", key[strings.LastIndexByte(key, '.')+1:])
		return
	}
	text, err := readSecret(file)
	if err != nil {
		k.bad(key+"_file", "%v", err)
		return
	}
	*to = Secret(strings.TrimSpace(string(text)))
}
