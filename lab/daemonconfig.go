//go:build lab

package lab

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"text/template"
)

// hookSecret signs the events that voipd posts.
const hookSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// Setup is how a voipd of the laboratory differs from others.
type Setup struct {
	Source string // "ami" or "ari": how it listens
	Hook   string // where it posts events for the BRIX module; empty: nowhere
	AMI    string // address; empty: the PBX's own
	Store  string // folder of the database; empty: with its other files
	CEL    string // CSV file that it reads after a gap; empty: none
	Hasty  bool   // it holds a silent link for dead after two seconds
}

var daemonConfig = template.Must(template.New("voipd.toml").Parse(`[asterisk]
name = "lab"
interface = "{{.Source}}"
address = "{{.AMI}}"
ari_url = "{{.ARI}}"
username = "{{.User}}"
secret = "{{.Secret}}"
{{- if .Hasty}}
ping_every = "1s"
deadline = "1s"
{{- end}}

[numbers]
extensions = ['^(1\d\d)(?:-[a-z]+)?$']
trunks = ['^(PJSIP|IAX2)/trunk-[a-c]$']

[[numbers.rewrite]]
match = '^9(\d{10,})$'
replace = '$1'

[store]
path = "{{.Store}}/voipd.db"

[[recordings.directories]]
path = "{{.Monitor}}"
asterisk_path = "{{.AsteriskMonitor}}"

[[recordings.directories]]
path = "{{.ByARI}}"
asterisk_path = "/var/spool/asterisk/recording"

[calls]
sources = ['1\d\d']

[http]
listen = "{{.Listen}}"

[[http.tokens]]
name = "lab"
sha256 = "{{.TokenHash}}"
{{with .Hook}}
[[webhooks]]
name = "app"
url = "{{.}}"
secret = "{{$.HookSecret}}"
template = "brix"
{{end}}
{{- with .CEL}}
[[backfill]]
name = "cel"
kind = "cel"
driver = "csv"
path = "{{.}}"
{{end}}`))

func (d *Daemon) configure(o *Office, listen string) error {
	hash := sha256.Sum256([]byte(voipdToken))
	var b bytes.Buffer
	err := daemonConfig.Execute(&b, struct {
		Setup
		ARI, User, Secret, Listen, Monitor, AsteriskMonitor, ByARI, TokenHash, HookSecret string
	}{d.Setup, pbxARI, voipdUser, voipdSecret, listen, o.PBX.Path(monitorDir), monitorDir, o.PBX.Path("/var/spool/asterisk-pbx/recording"),
		hex.EncodeToString(hash[:]), hookSecret})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(d.dir, "voipd.toml"), b.Bytes(), 0o600)
}
