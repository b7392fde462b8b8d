package torture

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
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
	"syscall"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/recording"
	"github.com/voipd/voipd/record"
)

const token = "torture"

// voipd is a process that is killed and started again on the same files.
type voipd struct {
	t      testing.TB
	config string
	log    string
	cel    string
	store  string
	base   string
	cmd    *exec.Cmd
	exited chan error

	mayFail func() bool // whether it cannot work at the moment: its disk is full
}

// impatient is how a voipd looks after its link that is to notice soon what is
// wrong with it.
const impatient = `ping_every = "500ms"
deadline = "1s"
`

// newVoipd writes the configuration, with the folder of recordings, and more of
// [asterisk] in link. Nothing runs yet.
func newVoipd(t testing.TB, dir, storeDir, pbx, cel, monitor, link string) *voipd {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listen := free.Addr().String()
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(token))
	v := &voipd{t: t, config: filepath.Join(dir, "voipd.toml"), log: filepath.Join(dir, "voipd.log"), cel: cel, store: filepath.Join(storeDir, "voipd.db"), base: "http://" + listen}
	text := fmt.Sprintf(`[asterisk]
address = %q
secret = "voipd"
%s[numbers]
extensions = ['^1\d\d$']
trunks = ['^PJSIP/trunk-[ab]$']
[[numbers.rewrite]]
match = '^9(\d{10,})$'
replace = '$1'
[store]
path = %q
[http]
listen = %q
[[http.tokens]]
name = "torture"
sha256 = %q
[[backfill]]
name = "cel"
kind = "cel"
driver = "csv"
path = %q
[[recordings.directories]]
path = %q
`, pbx, link, v.store, listen, hex.EncodeToString(sum[:]), cel, monitor)
	if err := os.WriteFile(v.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return v
}

// start starts it unless it runs.
func (v *voipd) start() {
	v.t.Helper()
	if v.cmd != nil {
		return
	}
	log, err := os.OpenFile(v.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		v.t.Fatal(err)
	}
	defer log.Close() // the process has its own
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), configVariable+"="+v.config)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		v.t.Fatal(err)
	}
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	v.cmd, v.exited = cmd, exited
}

// end sends a signal and waits for the end of the process.
func (v *voipd) end(s syscall.Signal) {
	v.t.Helper()
	if v.cmd == nil {
		return
	}
	_ = v.cmd.Process.Signal(s) // it may be gone already
	select {
	case err := <-v.exited:
		if s == syscall.SIGTERM && err != nil && !v.mayFail() {
			v.t.Errorf("voipd on SIGTERM: %v", err)
		}
	case <-time.After(20 * time.Second):
		v.t.Errorf("voipd did not end 20 s after %v", s)
		_ = v.cmd.Process.Kill()
		<-v.exited
	}
	v.cmd = nil
}

// gone tells whether the process ended by itself.
func (v *voipd) gone() (bool, error) {
	if v.cmd == nil {
		return false, nil
	}
	select {
	case err := <-v.exited:
		v.cmd = nil
		return true, err
	default:
		return false, nil
	}
}

func (v *voipd) get(path string, into any) error {
	body, err := v.fetch(path)
	if err != nil {
		return err
	}
	return json.Unmarshal(body, into)
}

func (v *voipd) fetch(path string) ([]byte, error) {
	status, body, err := v.ask(http.MethodGet, v.base+path, nil)
	if err != nil {
		return nil, err
	}
	if status >= 400 && status != http.StatusServiceUnavailable {
		return nil, fmt.Errorf("%s: %d %s", path, status, body)
	}
	return body, nil
}

func (v *voipd) ask(method, url string, send []byte) (status int, body []byte, err error) {
	req, err := http.NewRequest(method, url, bytes.NewReader(send))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	client := http.Client{Timeout: 10 * time.Second}
	resp, err := client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	body, err = io.ReadAll(resp.Body)
	return resp.StatusCode, body, err
}

// listen asks for the link to a record's recording, and for what is behind it.
func (v *voipd) listen(r told) error {
	send, err := json.Marshal(map[string]any{"call": r.Call, "format": "original"})
	if err != nil {
		return err
	}
	status, body, err := v.ask(http.MethodPost, v.base+"/v1/call-link", send)
	if err != nil || status != http.StatusOK {
		return fmt.Errorf("ask for the link: %d %s (%v)", status, body, err)
	}
	var link struct{ Link string }
	if err := json.Unmarshal(body, &link); err != nil {
		return err
	}
	status, audio, err := v.ask(http.MethodGet, link.Link, nil)
	if err != nil || status != http.StatusOK {
		return fmt.Errorf("fetch the audio: %d %s (%v)", status, audio, err)
	}
	a, err := recording.Examine((&record.Record{Details: r.Details}).FirstRecording().Path, bytes.NewReader(audio), int64(len(audio)))
	if err == nil && a.Empty {
		err = errors.New("there is no sound in it")
	}
	return err
}

// told is a record as the API gives it.
type told struct {
	Call struct {
		CallID    string `json:"callId"`
		Recording string `json:"recording"`
	}
	CallID, Direction, Disposition, SrcPhone, DstPhone string
	Duration                                           int
	Details                                            record.Details
}

// records are all that voipd has.
func (v *voipd) records() ([]told, error) { return v.recordsFrom(time.Time{}) }

// recordsFrom are those of the calls that began at a time or later; zero: all.
func (v *voipd) recordsFrom(from time.Time) ([]told, error) {
	query := url.Values{"limit": {"1000"}}
	if !from.IsZero() {
		query.Set("from", from.UTC().Format(time.RFC3339Nano))
	}
	var all []told
	cursor := ""
	for {
		var page struct {
			Records []told
			Next    string
		}
		query.Set("cursor", cursor)
		if err := v.get("/v1/records?"+query.Encode(), &page); err != nil {
			return nil, err
		}
		all = append(all, page.Records...)
		if cursor = page.Next; cursor == "" {
			return all, nil
		}
	}
}

// well waits until voipd says that the PBX is there and nothing is left to repair.
func (v *voipd) well(within time.Duration) error {
	var h struct {
		Status   string
		Problems []string
		Repair   struct{ OpenGaps int }
	}
	err := errors.New("not asked yet")
	for end := time.Now().Add(within); time.Now().Before(end); <-time.After(200 * time.Millisecond) {
		if err = v.get("/v1/health", &h); err == nil && h.Status == "ok" && h.Repair.OpenGaps == 0 {
			return nil
		}
	}
	return fmt.Errorf("voipd does not recover: %+v (%w)", h, err)
}

// openCalls is how many calls voipd takes for open.
func (v *voipd) openCalls() (int, error) {
	var h struct{ OpenCalls int }
	err := v.get("/v1/health", &h)
	return h.OpenCalls, err
}
