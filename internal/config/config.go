// Package config is the admin's TOML file: its types, its defaults on one
// page, and a strict loader that tells every mistake at once, with its line.
//
// It imports nothing of voipd: package daemon turns it into each package's
// options.
package config

import (
	"fmt"
	"path/filepath"
	"time"
)

// Config is the whole file. Every key has a default; [Default] has them all.
type Config struct {
	Asterisk   Asterisk   `toml:"asterisk"`
	Numbers    Numbers    `toml:"numbers"`
	Recordings Recordings `toml:"recordings"`
	Store      Store      `toml:"store"`
	HTTP       HTTP       `toml:"http"`
	Webhooks   []Webhook  `toml:"webhooks"`
	Log        Log        `toml:"log"`
	Calls      Calls      `toml:"calls"`
	Members    []Member   `toml:"members"`
	Backfill   []Backfill `toml:"backfill"`
	Centre     Centre     `toml:"centre"`

	Warning *Error `toml:"-"` // keys that were renamed since, each with its line; nil: none
}

// The interfaces of Asterisk that voipd can listen to.
const (
	AMI = "ami"
	ARI = "ari"
)

// Asterisk says how to reach the PBX.
type Asterisk struct {
	Name           string        `toml:"name"`            // the PBX's name in every record; may be empty
	Interface      string        `toml:"interface"`       // ami or ari
	Address        string        `toml:"address"`         // host:port of AMI
	ARIURL         string        `toml:"ari_url"`         // address of ARI
	ARIApplication string        `toml:"ari_application"` // name of the Stasis application that listens
	Username       string        `toml:"username"`        // user in manager.conf or ari.conf
	Secret         Secret        `toml:"secret"`          // its secret, or:
	SecretFile     string        `toml:"secret_file"`     // a file that holds it; neither: the credential "ami-secret" of systemd
	NeverPlain     bool          `toml:"never_plain"`     // AMI: do not log in where the secret would be sent as it is
	TLS            bool          `toml:"tls"`             // speak TLS (manager.conf: tlsenable)
	TLSCAFile      string        `toml:"tls_ca_file"`     // certificates to trust; empty: the system's
	TLSServerName  string        `toml:"tls_server_name"` // name in the PBX's certificate; empty: the host of address
	PingEvery      time.Duration `toml:"ping_every"`      // how often a quiet PBX is asked whether it is there
	Deadline       time.Duration `toml:"deadline"`        // how long each answer may take; then the link is held for dead
}

// Numbers say what is an extension, a trunk and an outside number.
type Numbers struct {
	Extensions         []string  `toml:"extensions"`
	Trunks             []string  `toml:"trunks"`
	Helpers            []string  `toml:"helpers"` // technologies whose channels are never a party, beside those that voipd knows
	Outside            []string  `toml:"outside"`
	Rewrite            []Rewrite `toml:"rewrite"`
	RewriteCaller      []Rewrite `toml:"rewrite_caller"`
	ExtensionSeparator string    `toml:"extension_separator"`
	SrcExtVariable     string    `toml:"src_ext_variable"`
	DstExtVariable     string    `toml:"dst_ext_variable"`
}

// Rewrite replaces what matches in a number.
type Rewrite struct {
	Match   string `toml:"match"`
	Replace string `toml:"replace"`
}

// Recordings say where the audio is.
type Recordings struct {
	Directories []Directory   `toml:"directories"`
	Keep        time.Duration `toml:"keep"`      // how long after a call its audio files are kept; 0: voipd deletes none
	LinkTTL     time.Duration `toml:"link_ttl"`  // how long a link works
	GiveUp      time.Duration `toml:"give_up"`   // how long after the call a missing file is looked for
	Converter   string        `toml:"converter"` // of what browsers do not play: Auto, Off, or the path of an ffmpeg or sox
	Cache       string        `toml:"cache"`     // folder of what was converted; empty: beside the database, see CacheDir
	CacheMiB    int           `toml:"cache_mib"` // how much is kept there; 0: nothing longer than it is read
}

// The settings of a converter beside a path.
const (
	Auto = "auto" // ffmpeg or sox, where they are installed
	Off  = "off"  // none
)

// CacheDir is the folder of converted recordings. Whoever erases recordings has
// to find it, so that nothing but the configuration decides where it is.
func (c *Config) CacheDir() (string, error) {
	if c.Recordings.Cache != "" {
		return c.Recordings.Cache, nil
	}
	dir, err := filepath.Abs(filepath.Join(filepath.Dir(c.Store.Path), "converted"))
	if err != nil {
		return "", fmt.Errorf("look for the cache of recordings: %w", err)
	}
	return dir, nil
}

// Directory is a folder that recordings may be served from.
type Directory struct {
	Path         string `toml:"path"`          // where voipd finds it
	AsteriskPath string `toml:"asterisk_path"` // what Asterisk calls it; empty: the same
}

// Store says where the records are kept.
type Store struct {
	Path        string        `toml:"path"`
	KeepRecords time.Duration `toml:"keep_records"` // how long after a call its record is kept; 0: for ever
	KeepTraces  time.Duration `toml:"keep_traces"`  // how long the facts behind a record are kept
	KeepChanges time.Duration `toml:"keep_changes"` // how long the live stream can be read again, and deliveries be looked at
}

// HTTP is the local API.
type HTTP struct {
	Listen      string   `toml:"listen"`        // host:port
	TLSCertFile string   `toml:"tls_cert_file"` // the API's own certificate; empty: plain HTTP
	TLSKeyFile  string   `toml:"tls_key_file"`
	BaseURL     string   `toml:"base_url"` // how others reach it, for links; empty: the host that a request asks for
	Tokens      []Token  `toml:"tokens"`
	Hosts       []string `toml:"hosts"`   // names under which the API answers, beside that in base_url, localhost and addresses
	Origins     []string `toml:"origins"` // of pages that may call the API from a browser
	Zone        string   `toml:"zone"`    // of times that clients write without an offset, as "Europe/Moscow"; empty: this machine's
}

// Token lets an app in.
type Token struct {
	Name   string   `toml:"name"`   // for the log
	SHA256 string   `toml:"sha256"` // of the token, hexadecimal; the token itself is kept nowhere
	Scopes []string `toml:"scopes"` // what it may do; none: everything

	// How long links to recordings work that it asks for: a duration, or "never" for
	// links that do not expire until they are revoked; empty: recordings.link_ttl.
	LinkTTL string `toml:"link_ttl"`
}

// Links is LinkTTL as a duration: below zero is never, zero is as usual.
func (t *Token) Links() (time.Duration, error) {
	switch t.LinkTTL {
	case "":
		return 0, nil
	case "never":
		return -1, nil
	}
	d, err := time.ParseDuration(t.LinkTTL)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf(`want a duration such as "720h", or "never", have %q`, t.LinkTTL)
	}
	return d, nil
}

// Webhook is an address that events are posted to.
type Webhook struct {
	Name         string        `toml:"name"`        // for the log, the outbox and the command line
	URL          string        `toml:"url"`         // where to
	Secret       Secret        `toml:"secret"`      // signs each event: "whsec_" and base64; or:
	SecretFile   string        `toml:"secret_file"` // a file that holds it
	OldSecret    Secret        `toml:"old_secret"`  // signs beside it, while receivers change over; or:
	OldFile      string        `toml:"old_secret_file"`
	Events       []string      `toml:"events"`        // kinds of events; empty: every one but webhook.failing
	Template     string        `toml:"template"`      // shape of the body: plain or brix; empty: plain
	BodyTemplate string        `toml:"body_template"` // or a file with a template of one's own
	Timeout      time.Duration `toml:"timeout"`       // how long an answer may take; zero: 10 s
	MaxAge       time.Duration `toml:"max_age"`       // an event not taken for so long is parked; zero: 72 h
}

// The shapes of a webhook's body.
const (
	Plain = "plain"
	BRIX  = "brix"
)

// Events lists the kinds of events that a webhook can ask for.
func Events() []string {
	return []string{"call.started", "call.stopped_ringing", "call.answered", "call.transferred", "call.held", "call.resumed", "call.merged", "call.ended",
		"record.created", "recording.ready", "record.corrected", "missed.opened", "missed.returned", "missed.dismissed", "webhook.failing"}
}

// Calls say which calls the app may place (click to call).
type Calls struct {
	Sources      []string      `toml:"sources"`      // patterns of extensions that may call by a click; none: nobody
	Destinations []string      `toml:"destinations"` // patterns of numbers that may be dialled
	Channel      string        `toml:"channel"`      // what rings the operator; {src} is his extension
	Context      string        `toml:"context"`      // of the dialplan, where the number is dialled
	CallerID     string        `toml:"caller_id"`    // {src}, {dst}
	RingFor      time.Duration `toml:"ring_for"`     // how long the operator's phone rings
	AutoAnswer   string        `toml:"auto_answer"`  // SIP header that lets his phone pick up by itself; empty: none
	PerMinute    int           `toml:"per_minute"`   // calls placed in a minute, at most
}

// Member is what the PBX does not have of an operator: his name, or which endpoints
// are his.
type Member struct {
	Extension string   `toml:"extension"`
	Name      string   `toml:"name"`      // empty: the PBX's
	Endpoints []string `toml:"endpoints"` // as "PJSIP/anna-desk"; none: the PBX and [numbers] tell
}

// Log says what is written to standard error.
type Log struct {
	Level  string `toml:"level"`  // debug, info, warn, error
	Format string `toml:"format"` // text, json
}

// Backfill is a place where Asterisk writes CEL or CDR, which voipd reads for
// what it missed. The loader fills in what is left out.
type Backfill struct {
	Name    string            `toml:"name"`     // for messages and voipd import; empty: the kind
	Kind    string            `toml:"kind"`     // cel or cdr
	Driver  string            `toml:"driver"`   // csv, sqlite, mysql (MariaDB too) or postgres
	Path    string            `toml:"path"`     // csv, sqlite: the file
	DSN     Secret            `toml:"dsn"`      // mysql, postgres: how to reach the server, with user and password; or:
	DSNFile string            `toml:"dsn_file"` // a file that holds it
	Table   string            `toml:"table"`    // empty: the kind
	Zone    string            `toml:"zone"`     // of times written as dates; empty: this machine's
	Columns map[string]string `toml:"columns"`  // what a database calls them, by Asterisk's names
	Layout  []string          `toml:"layout"`   // csv: the columns in order; empty: the usual ones
}

// Centre is where records are shipped to, beside being kept here (voipd centre). Without
// an address they are not.
type Centre struct {
	Address   string `toml:"address"`    // of the centre, as "https://voip.example.com"
	Token     Secret `toml:"token"`      // lets this voipd in as the edge of its PBX; or:
	TokenFile string `toml:"token_file"` // a file that holds it, read again at each batch
}

// Default is what holds where the file is silent.
func Default() Config {
	return Config{
		Asterisk: Asterisk{
			Interface:      AMI,
			Address:        "127.0.0.1:5038",
			ARIURL:         "http://127.0.0.1:8088/ari",
			ARIApplication: "voipd",
			Username:       "voipd",
			PingEvery:      10 * time.Second,
			Deadline:       5 * time.Second,
		},
		Numbers: Numbers{
			Extensions: []string{`^(\d{2,5})(?:[-_][A-Za-z]\w*)?$`},
			Trunks:     []string{},
			Helpers:    []string{},
			Outside:    []string{`^(?:\+|00)?\d{7,}$`},
		},
		Recordings: Recordings{
			Directories: []Directory{{Path: "/var/spool/asterisk/monitor"}},
			LinkTTL:     time.Hour,
			GiveUp:      10 * time.Minute,
			Converter:   Auto,
			CacheMiB:    256,
		},
		Store: Store{Path: "/var/lib/voipd/voipd.db", KeepTraces: 90 * 24 * time.Hour, KeepChanges: 7 * 24 * time.Hour},
		HTTP:  HTTP{Listen: "127.0.0.1:8780", Hosts: []string{}, Origins: []string{}},
		Log:   Log{Level: "info", Format: "text"},
		Calls: Calls{Sources: []string{}, Destinations: []string{`\d{2,5}`, `\+?\d{7,15}`}, Channel: "PJSIP/{src}", Context: "from-internal", CallerID: "{src}",
			RingFor: 30 * time.Second, PerMinute: 30},
	}
}
