package setup

import (
	"cmp"
	"context"
	"net"
	"path"
	"regexp"
	"strings"
)

// The kinds of PBX whose files are laid out in a way of their own.
const (
	FreePBX  = "FreePBX"
	Issabel  = "Issabel"
	VitalPBX = "VitalPBX"
	Asterisk = "Asterisk" // plain
)

// Found is what a machine shows, read only.
type Found struct {
	PBX        string   `json:"pbx"`               // FreePBX, Issabel, VitalPBX, or Asterisk
	By         string   `json:"by"`                // the file that tells
	Asterisk   string   `json:"asterisk"`          // its version, as it says; empty: it does not run
	Etc        string   `json:"etc"`               // folder of Asterisk's configuration
	Manager    bool     `json:"managerEnabled"`    // AMI is on
	Address    string   `json:"managerAddress"`    // where AMI is reached
	Timestamps bool     `json:"managerTimestamps"` // events carry the PBX's time
	UserIn     string   `json:"userIn,omitempty"`  // file and line of the user "voipd", where there is one
	Monitor    string   `json:"recordings"`        // folder of recordings
	Format     string   `json:"recordingFormat,omitempty"`
	Sources    []Source `json:"sources"` // where CEL and CDR are written
	Systemd    bool     `json:"systemd"` // it runs here

	manager, ari, http *conf
	socket             string // of the database server
}

// Detect looks at the machine and changes nothing.
func Detect(ctx context.Context, o Options) (*Found, error) {
	o = o.with()
	f := &Found{Etc: "/etc/asterisk", Systemd: o.has("/run/systemd/system")}
	f.kind(o)
	dirs, err := readConf(o.Root, f.Etc, "asterisk.conf")
	if err != nil {
		return nil, err
	}
	f.Etc = cmp.Or(dirs.value("directories", "astetcdir"), f.Etc)
	for _, read := range []struct {
		name string
		into **conf
	}{{"manager.conf", &f.manager}, {"ari.conf", &f.ari}, {"http.conf", &f.http}} {
		if *read.into, err = readConf(o.Root, f.Etc, read.name); err != nil {
			return nil, err
		}
	}
	f.managerOf()
	if err := f.recordings(o, dirs); err != nil {
		return nil, err
	}
	if err := f.sources(o, dirs); err != nil {
		return nil, err
	}
	if said, err := o.Run(ctx, "", "asterisk", "-rx", "core show version"); err == nil {
		if m := regexp.MustCompile(`Asterisk (\S+)`).FindStringSubmatch(said); m != nil {
			f.Asterisk = m[1]
		}
	}
	return f, nil
}

// kind tells the PBX by the files that only it has.
func (f *Found) kind(o Options) {
	for _, mark := range []struct{ file, pbx string }{
		{"/etc/issabel.conf", Issabel}, {"/etc/freepbx.conf", FreePBX}, {"/etc/amportal.conf", FreePBX},
		{"/etc/asterisk/vitalpbx", VitalPBX}, {"/etc/asterisk/asterisk.conf", Asterisk},
	} {
		if o.has(mark.file) {
			f.PBX, f.By = mark.pbx, mark.file
			return
		}
	}
}

// managerOf reads how AMI is set up.
func (f *Found) managerOf() {
	general := func(key string) string { return f.manager.value("general", key) }
	f.Manager, f.Timestamps = yes(general("enabled")), yes(general("timestampevents"))
	host := general("bindaddr")
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	f.Address = net.JoinHostPort(host, cmp.Or(general("port"), "5038"))
	if at := f.manager.named("voipd"); len(at) > 0 {
		f.UserIn = place(at[0].file, at[0].line)
	}
}

// recordings finds the folder and the format of recordings.
func (f *Found) recordings(o Options, dirs *conf) error {
	f.Monitor = path.Join(cmp.Or(dirs.value("directories", "astspooldir"), "/var/spool/asterisk"), "monitor")
	if f.PBX != FreePBX && f.PBX != Issabel {
		return nil
	}
	globals, err := readConf(o.Root, f.Etc, "extensions_additional.conf")
	if err != nil {
		return err
	}
	f.Format = globals.value("globals", "MIXMON_FORMAT")
	if dir := globals.value("globals", "MIXMON_DIR"); strings.HasPrefix(dir, "/") {
		f.Monitor = path.Clean(dir)
	}
	return nil
}

// rewritten tells of the files that a PBX writes anew by itself.
func (f *Found) rewritten(file string) bool {
	name := path.Base(file)
	switch f.PBX {
	case FreePBX, Issabel:
		return name == "manager.conf" || strings.HasSuffix(name, "_additional.conf")
	case VitalPBX:
		return name == "manager.conf" || strings.HasPrefix(name, "manager__") && name != vitalFile
	}
	return false
}

const vitalFile = "manager__50-voipd-user.conf"
