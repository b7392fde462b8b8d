//go:build lab

package lab

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// voipdToken is what the laboratory shows at voipd's HTTP door.
const voipdToken = "lab-token-0123456789abcdef0123456789abcdef"

// Daemon is a freshly built voipd that watches the office's PBX.
type Daemon struct {
	Setup
	binary  string
	dir     string // its files
	base    string // http://127.0.0.1:PORT
	process *tied
	http    *http.Client
}

// BuildVoipd builds ./cmd/voipd of the module in moduleDir into dir, which is
// emptied before, and returns the binary's path.
func BuildVoipd(ctx context.Context, moduleDir, dir string) (string, error) {
	if err := os.RemoveAll(dir); err != nil {
		return "", fmt.Errorf("build voipd: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("build voipd: %w", err)
	}
	binary := filepath.Join(dir, "voipd")
	build := exec.CommandContext(ctx, "go", "build", "-o", binary, "./cmd/voipd")
	build.Dir = moduleDir
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build voipd: %w\n%s", err, out)
	}
	return binary, nil
}

// StartDaemon writes a configuration into the folder dir and runs "voipd
// serve" there until it sees the PBX.
func StartDaemon(ctx context.Context, o *Office, binary, dir string, setup Setup) (*Daemon, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("start voipd: %w", err)
	}
	listen, err := freePort()
	if err != nil {
		return nil, fmt.Errorf("start voipd: %w", err)
	}
	setup.AMI, setup.Store = cmp.Or(setup.AMI, pbxAMI), cmp.Or(setup.Store, dir)
	d := &Daemon{Setup: setup, binary: binary, dir: dir, base: "http://" + listen, http: &http.Client{Timeout: 10 * time.Second}}
	if err := d.configure(o, listen); err != nil {
		return nil, fmt.Errorf("configure voipd: %w", err)
	}
	return d, d.start(ctx)
}

// start runs voipd on the files of d and waits until it is ready.
func (d *Daemon) start(ctx context.Context) error {
	if err := d.launch(); err != nil {
		return err
	}
	if err := d.awaitReady(ctx); err != nil {
		_ = d.process.stop(time.Second) // the first error is the one to tell
		return fmt.Errorf("start voipd: %w\n%s", err, d.Log(30))
	}
	return nil
}

// launch runs voipd on the files of d.
func (d *Daemon) launch() error {
	log, err := os.OpenFile(filepath.Join(d.dir, "voipd.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("start voipd: %w", err)
	}
	defer log.Close() // the process has its own by then
	cmd := exec.Command(d.binary, "serve", "-c", filepath.Join(d.dir, "voipd.toml"))
	cmd.Stdout, cmd.Stderr = log, log
	if d.process, err = startTied(cmd); err != nil {
		return fmt.Errorf("start voipd: %w", err)
	}
	return nil
}

// Kill ends voipd at once, as a power cut would.
func (d *Daemon) Kill() { d.process.kill() }

// Restart starts a stopped or killed voipd again, on the same files.
func (d *Daemon) Restart(ctx context.Context) error { return d.start(ctx) }

// awaitReady waits until voipd's health says that all is well.
func (d *Daemon) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	last := "no answer yet"
	for {
		res, err := d.get(ctx, d.base+"/v1/health", true)
		if err == nil && res.status == http.StatusOK {
			return nil
		}
		if err == nil {
			last = fmt.Sprintf("%d %s", res.status, res.body)
		}
		select {
		case <-d.process.exited:
			return fmt.Errorf("it ended: %v", d.process.err)
		case <-ctx.Done():
			return fmt.Errorf("not healthy after 15 s: %s", last)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// Stop ends voipd as systemd would. It must exit 0 within 5 seconds.
func (d *Daemon) Stop() error {
	if err := d.process.stop(5 * time.Second); err != nil {
		return fmt.Errorf("voipd on SIGTERM: %w\n%s", err, d.Log(20))
	}
	return nil
}

// Replay lets "voipd replay" tell the records of a captured AMI stream, with
// the daemon's own configuration.
func (d *Daemon) Replay(ctx context.Context, file string) ([]Record, error) {
	cmd := exec.CommandContext(ctx, d.binary, "replay", "--json", "-c", filepath.Join(d.dir, "voipd.toml"), file)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("voipd replay: %w\n%s", err, lastLines(errs.Bytes(), 10))
	}
	var records []Record
	for line := range bytes.Lines(out) {
		var r Record
		if err := json.Unmarshal(line, &r); err != nil {
			return nil, fmt.Errorf("voipd replay: %w in %q", err, line)
		}
		records = append(records, r)
	}
	return records, nil
}

// Log is the end of what voipd wrote.
func (d *Daemon) Log(lines int) string {
	b, err := os.ReadFile(filepath.Join(d.dir, "voipd.log"))
	if err != nil {
		return err.Error()
	}
	return "voipd's log ends:\n" + lastLines(b, lines)
}

// Record is the part of a VoipCallRecord that the laboratory judges.
type Record struct {
	Call        json.RawMessage `json:"call"`
	CallID      string          `json:"callId"`
	Direction   string          `json:"direction"`
	Disposition string          `json:"disposition"`
	DstPhone    string          `json:"dstPhone"`
	Duration    int             `json:"duration"`
	SrcPhone    string          `json:"srcPhone"`
	DstPhoneExt *string         `json:"dstPhoneExt"`
	SrcPhoneExt *string         `json:"srcPhoneExt"`
	Details     struct {
		Source      string   `json:"source"`
		Approximate []string `json:"approximate"`
	} `json:"details"`
}

// Recorded tells whether the record names a recording.
func (r Record) Recorded() bool {
	var call struct {
		Recording string `json:"recording"`
	}
	return json.Unmarshal(r.Call, &call) == nil && call.Recording != ""
}

// told is what is judged of r.
func (r Record) told() told {
	return told{direction: r.Direction, src: r.SrcPhone, dst: r.DstPhone, disposition: r.Disposition,
		duration: r.Duration, recorded: r.Recorded()}
}

// Records fetches every record of the given time, page by page.
func (d *Daemon) Records(ctx context.Context, from, to time.Time) ([]Record, error) {
	query := url.Values{"from": {from.UTC().Format(time.RFC3339)}, "to": {to.UTC().Format(time.RFC3339)}, "limit": {"50"}}
	var all []Record
	for {
		res, err := d.get(ctx, d.base+"/v1/records?"+query.Encode(), true)
		if err != nil {
			return nil, fmt.Errorf("GET /v1/records: %w", err)
		}
		if res.status != http.StatusOK {
			return nil, fmt.Errorf("GET /v1/records: %d %s", res.status, res.body)
		}
		var page struct {
			Records []Record `json:"records"`
			Next    string   `json:"next"`
		}
		if err := json.Unmarshal(res.body, &page); err != nil {
			return nil, fmt.Errorf("GET /v1/records: %w", err)
		}
		all = append(all, page.Records...)
		if page.Next == "" {
			return all, nil
		}
		query.Set("cursor", page.Next)
	}
}

// Audio asks for a link to the call's recording and follows it without a
// token. A recording that is still being written is asked for again, for 10 s.
func (d *Daemon) Audio(ctx context.Context, call json.RawMessage) ([]byte, error) {
	link, err := d.link(ctx, call)
	for wait := 0; errors.Is(err, errStillWritten) && wait < 20; wait++ {
		if err := pause(ctx, 500*time.Millisecond); err != nil {
			return nil, err
		}
		link, err = d.link(ctx, call)
	}
	if err != nil {
		return nil, err
	}
	audio, err := d.get(ctx, link, false)
	if err != nil {
		return nil, fmt.Errorf("GET the link: %w", err)
	}
	if audio.status != http.StatusOK || !strings.HasPrefix(audio.contentType, "audio/") {
		return nil, fmt.Errorf("GET the link: %d, %s", audio.status, audio.contentType)
	}
	return audio.body, nil
}

var errStillWritten = errors.New("the recording is still being written")

// link exchanges a record's call object for an address.
func (d *Daemon) link(ctx context.Context, call json.RawMessage) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.base+"/v1/call-link",
		strings.NewReader(`{"format":"original","call":`+string(call)+`}`)) // it is compared with the PBX's file
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+voipdToken)
	res, err := d.do(req)
	if err != nil {
		return "", fmt.Errorf("POST /v1/call-link: %w", err)
	}
	if res.status == http.StatusConflict {
		return "", errStillWritten
	}
	var answer struct {
		Link string `json:"link"`
	}
	if err := json.Unmarshal(res.body, &answer); err != nil || answer.Link == "" {
		return "", fmt.Errorf("POST /v1/call-link: %d %s", res.status, res.body)
	}
	link, err := url.Parse(answer.Link)
	if err != nil {
		return "", fmt.Errorf("link: %w", err)
	}
	base, err := url.Parse(d.base)
	if err != nil {
		return "", err
	}
	return base.ResolveReference(link).String(), nil
}

type response struct {
	status      int
	contentType string
	body        []byte
}

func (d *Daemon) get(ctx context.Context, target string, authorised bool) (response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return response{}, err
	}
	if authorised {
		req.Header.Set("Authorization", "Bearer "+voipdToken)
	}
	return d.do(req)
}

func (d *Daemon) do(req *http.Request) (response, error) {
	res, err := d.http.Do(req)
	if err != nil {
		return response{}, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, 16<<20))
	return response{res.StatusCode, res.Header.Get("Content-Type"), b}, err
}

// freePort is a loopback address that nobody listens on at the moment.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}
