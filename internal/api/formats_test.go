package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/recording"
	"github.com/voipd/voipd/internal/recording/convert"
	"github.com/voipd/voipd/internal/recording/convert/fake"
	"github.com/voipd/voipd/record"
)

// converting gives the office a converter, and change a word in its bounds; it
// gives the folder of what was converted.
func (o *office) converting(program string, change func(*convert.Options)) (cache string) {
	o.t.Helper()
	programs, err := convert.Find(o.t.Context(), program)
	if err != nil {
		o.t.Fatal(err)
	}
	cache = filepath.Join(o.t.TempDir(), "converted")
	opt := convert.Options{Programs: func() []convert.Program { return programs }, Dir: cache, Keep: 1 << 20,
		Library: recording.New([]recording.Directory{{Path: o.dir, AsteriskPath: "/spool"}})}
	if change != nil {
		change(&opt)
	}
	if o.convert, err = convert.New(opt); err != nil {
		o.t.Fatal(err)
	}
	o.t.Cleanup(o.convert.Close)
	o.scopes()
	return cache
}

// recorded is a call whose recording has this name and content, and the link to
// it.
func (o *office) recorded(id, name string, data []byte) (link string) {
	o.t.Helper()
	if err := os.WriteFile(filepath.Join(o.dir, name), data, 0o600); err != nil {
		o.t.Fatal(err)
	}
	r := o.made(id, 0)
	path := "/spool/" + name
	r.Details.Recordings = []record.Recording{{ID: record.RecordingID(path), Path: path, At: r.Details.StartedAt, State: record.Ready, Talk: true}}
	o.put(r)
	status, _, body := o.link(`{"callId":"` + id + `"}`)
	var got struct{ Link string }
	if err := json.Unmarshal(body, &got); err != nil || status != 200 {
		o.t.Fatalf("%d %s: %v", status, body, err)
	}
	return got.Link
}

// gsm is a second of silence.
func gsm() []byte { return []byte(strings.Repeat("\xd2"+strings.Repeat("\x00", 32), 50)) }

// TestConverted: what browsers do not play comes as WAV, with all that a player
// asks of a file; format chooses.
func TestConverted(t *testing.T) {
	o := newOffice(t)
	program := fake.FFmpeg(t, fake.Copy)
	want := o.audio("pcm")
	fake.Result(t, program, want)
	o.converting(program, nil)
	link := o.recorded("1.1", "in-101.gsm", gsm())
	status, header, body := o.do("GET", link, "")
	if status != 200 || !bytes.Equal(body, want) || header.Get("Content-Type") != "audio/wav" || header.Get("Content-Disposition") != "inline; filename=in-101.wav" ||
		header.Get("Content-Security-Policy") != "" || header.Get("Last-Modified") == "" {
		t.Errorf("got %d, %d bytes, %v", status, len(body), header)
	}
	etag := header.Get("ETag")
	for _, c := range []struct {
		name, method, format string
		header               []string
		status, size         int
		kind                 string
	}{
		{"head", "HEAD", "", nil, 200, 0, "audio/wav"},
		{"range", "GET", "", []string{"Range", "bytes=100-199"}, 206, 100, "audio/wav"},
		{"last bytes", "GET", "", []string{"Range", "bytes=-10"}, 206, 10, "audio/wav"},
		{"range if unchanged", "GET", "", []string{"Range", "bytes=0-9", "If-Range", etag}, 206, 10, "audio/wav"},
		{"range if changed", "GET", "", []string{"Range", "bytes=0-9", "If-Range", `"other"`}, 200, len(want), "audio/wav"},
		{"range behind the end", "GET", "", []string{"Range", "bytes=999999-"}, 416, -1, "text/plain; charset=utf-8"},
		{"not modified", "GET", "", []string{"If-None-Match", etag}, 304, 0, ""},
		{"wav", "GET", "wav", []string{"If-None-Match", etag}, 304, 0, ""},
		{"original", "GET", "original", []string{"If-None-Match", etag}, 200, 1650, "audio/x-gsm"},
		{"mp3", "GET", "mp3", []string{"If-None-Match", etag}, 200, len(want), "audio/mpeg"},
		{"opus", "HEAD", "opus", []string{"If-None-Match", etag}, 200, 0, "audio/ogg; codecs=opus"},
	} {
		url := link
		if c.format != "" {
			url += "&format=" + c.format
		}
		status, h, body := o.do(c.method, url, "", c.header...)
		if status != c.status || c.size >= 0 && len(body) != c.size || h.Get("Content-Type") != c.kind {
			t.Errorf("%s: got %d with %d bytes of %s, want %d with %d of %s", c.name, status, len(body), h.Get("Content-Type"), c.status, c.size, c.kind)
		}
		if c.method == "HEAD" && h.Get("Content-Length") != "16044" {
			t.Errorf("%s: length %s", c.name, h.Get("Content-Length"))
		}
	}
	status, header, body = o.do("GET", link+"&format=aiff", "")
	if kind, _ := problemOf(t, header, body); status != 400 || kind != "unknown-format" {
		t.Errorf("an unknown format: %d %s", status, body)
	}
	if status, header, _ := o.do("GET", o.recorded("1.2", "pcm.wav", want)+"&format=wav", ""); status != 200 || header.Get("Content-Disposition") != "inline; filename=pcm.wav" {
		t.Errorf("what is WAV already: %d %v", status, header)
	}
}

// TestLinkWithFormat: the app may ask for a link that says the format; one that
// cannot be had is refused at once, and links without are as they were.
func TestLinkWithFormat(t *testing.T) {
	o := newOffice(t)
	program := fake.FFmpeg(t, fake.Copy)
	fake.Result(t, program, o.audio("pcm"))
	o.converting(program, nil)
	plain := o.recorded("1.1", "in-101.gsm", gsm())
	if strings.Contains(plain, "format") {
		t.Errorf("got %s", plain)
	}
	ask := func(format string) (int, http.Header, []byte) {
		return o.do("POST", "/v1/call-link", `{"call":{"callId":"1.1"},"format":"`+format+`"}`, "Authorization", "Bearer "+token)
	}
	for format, kind := range map[string]string{"mp3": "audio/mpeg", "wav": "audio/wav", "opus": "audio/ogg; codecs=opus", "original": "audio/x-gsm"} {
		status, _, body := ask(format)
		var got struct{ Link string }
		if err := json.Unmarshal(body, &got); err != nil || status != 200 || got.Link != plain+"&format="+format {
			t.Errorf("%s: %d %s", format, status, body)
			continue
		}
		if status, header, _ := o.do("GET", got.Link, ""); status != 200 || header.Get("Content-Type") != kind {
			t.Errorf("%s: %d %v", format, status, header)
		}
	}
	if status, _, body := ask("aiff"); status != 422 {
		t.Errorf("an unknown format: %d %s", status, body)
	}
	o.converting(convert.Off, nil)
	for format, want := range map[string]int{"mp3": 501, "wav": 501, "original": 200} {
		status, header, body := ask(format)
		if status != want {
			t.Errorf("%s without a converter: %d %s", format, status, body)
		}
		if status == 501 {
			if kind, _ := problemOf(t, header, body); kind != "no-converter" || !strings.Contains(string(body), "apt-get install ffmpeg") {
				t.Errorf("%s without a converter: %s", format, body)
			}
		}
	}
}

// TestNotConverted: where no converter is, or it fails, the original is offered
// unless a format was asked for; each reason has its own problem.
func TestNotConverted(t *testing.T) {
	busy := func(opt *convert.Options) { opt.AtOnce, opt.Queue = 1, time.Millisecond }
	for name, c := range map[string]struct {
		body   string // of the converter; "off": none
		change func(*convert.Options)
		status int // without a format
		asked  int // with one
		kind   string
	}{
		"none":     {"off", nil, 200, 501, "no-converter"},
		"fails":    {"exit 1", nil, 200, 422, "conversion-failed"},
		"too long": {fake.Copy, func(opt *convert.Options) { opt.Most = 1 }, 200, 422, "conversion-too-long"},
		"no room":  {fake.Copy, func(opt *convert.Options) { opt.Leave = 1 << 60 }, 200, 507, "conversion-no-room"},
		"busy":     {`exec 9>"$dir/alive"; sleep 1000`, busy, 503, 503, "converter-busy"},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			program := c.body
			if program != convert.Off {
				program = fake.FFmpeg(t, c.body)
				fake.Result(t, program, o.audio("pcm"))
			}
			o.converting(program, c.change)
			link, other := o.recorded("1.1", "in-101.gsm", gsm()), o.recorded("1.2", "in-102.gsm", gsm())
			if name == "busy" {
				alive := o.hanging(program, func(ctx context.Context) *http.Request { return o.request(ctx, other) })
				defer alive.Close()
			}
			status, header, body := o.do("GET", link, "")
			if status != c.status || status == 200 && (!bytes.Equal(body, gsm()) || header.Get("Content-Type") != "audio/x-gsm") {
				t.Errorf("without a format: %d %s", status, header.Get("Content-Type"))
			}
			status, header, body = o.do("GET", link+"&format=wav", "")
			if kind, _ := problemOf(t, header, body); status != c.asked || kind != c.kind || (status == 503) != (header.Get("Retry-After") != "") {
				t.Errorf("with one: %d %s %v", status, body, header)
			}
			if status, _, body := o.do("GET", link+"&format=original", ""); status != 200 || !bytes.Equal(body, gsm()) {
				t.Errorf("the original: %d", status)
			}
		})
	}
}

func (o *office) request(ctx context.Context, link string) *http.Request {
	o.t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, link, nil)
	if err != nil {
		o.t.Fatal(err)
	}
	return req
}

// hanging asks for a conversion that never ends, until the test does, and waits
// until it has begun. Reading from the file ends with the converter.
func (o *office) hanging(program string, ask func(context.Context) *http.Request) *os.File {
	o.t.Helper()
	pipe := filepath.Join(filepath.Dir(program), "alive")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		o.t.Fatal(err)
	}
	go func() {
		if res, err := http.DefaultClient.Do(ask(o.t.Context())); err == nil {
			res.Body.Close()
		}
	}()
	f, err := os.Open(pipe)
	if err != nil {
		o.t.Fatal(err)
	}
	return f
}

// TestListenerLeaves: the converter is killed with the request, and nothing of
// what it wrote is left.
func TestListenerLeaves(t *testing.T) {
	o := newOffice(t)
	program := fake.FFmpeg(t, `printf RIFF >"$out"; exec 9>"$dir/alive"; sleep 1000 & sleep 1000`)
	cache := o.converting(program, nil)
	link := o.recorded("1.1", "in-101.gsm", gsm())
	ctx, leave := context.WithCancel(t.Context())
	alive := o.hanging(program, func(context.Context) *http.Request { return o.request(ctx, link) })
	defer alive.Close()
	leave()
	if _, err := io.Copy(io.Discard, alive); err != nil { // ends with the last of its processes
		t.Error(err)
	}
	o.convert.Close() // once all has ended
	if left, err := filepath.Glob(filepath.Join(cache, "*")); err != nil || len(left) != 0 {
		t.Errorf("left: %v (%v)", left, err)
	}
}

// TestReallyConverted: the same with the installed converter.
func TestReallyConverted(t *testing.T) {
	o := newOffice(t)
	o.converting(convert.Auto, nil)
	if !o.convert.Can(recording.GSM, convert.MP3) {
		t.Skip("no converter that makes MP3 is installed (apt-get install ffmpeg)")
	}
	data, err := os.ReadFile("../recording/convert/testdata/call.gsm")
	if err != nil {
		t.Fatal(err)
	}
	link := o.recorded("1.1", "in-101.gsm", data)
	status, header, body := o.do("GET", link, "")
	a, err := recording.Examine("x.wav", bytes.NewReader(body), int64(len(body)))
	if status != 200 || err != nil || !a.Plays || !a.Whole || a.Length != 3060*time.Millisecond {
		t.Errorf("got %d %v, %+v (%v)", status, header, a, err)
	}
	status, header, part := o.do("GET", link, "", "Range", "bytes=1000-1999")
	if status != 206 || !bytes.Equal(part, body[1000:2000]) {
		t.Errorf("a part: %d %v", status, header)
	}
	status, _, body = o.do("GET", link+"&format=mp3", "")
	if a, err := recording.Examine("x.mp3", bytes.NewReader(body), int64(len(body))); status != 200 || err != nil || a.Coding != recording.MP3 {
		t.Errorf("got %d, %+v (%v)", status, a, err)
	}
}
