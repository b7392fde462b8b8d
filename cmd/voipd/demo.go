package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/voipd/voipd/internal/config"
	"github.com/voipd/voipd/internal/daemon"
	"github.com/voipd/voipd/internal/sim"
	"github.com/voipd/voipd/internal/trace"
	"github.com/voipd/voipd/record"
)

// demoToken is no secret: the demo listens on loopback, on made-up calls.
const demoToken = "demo"

func newDemo() *cobra.Command {
	d := demo{}
	c := &cobra.Command{
		Use:   "demo",
		Short: "Show voipd at work on a built-in fake PBX",
		Long: `Demo plays a morning of an office's calls, captured from a real Asterisk, on a
fake PBX inside this process. The real daemon connects to it over AMI, keeps the
records and serves them. It needs no configuration and leaves nothing behind.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d.out = cmd.OutOrStdout()
			return d.run(cmd.Context())
		},
	}
	c.Flags().StringVar(&d.listen, "listen", config.Default().HTTP.Listen, "address of the API; a free port where it is taken")
	c.Flags().Float64Var(&d.speed, "speed", 2, "how fast the morning passes")
	c.Flags().StringVar(&d.centre, "centre", "", "address of a centre that the records are shipped to; with --code")
	c.Flags().StringVar(&d.code, "code", "", "a code of \"voipd centre edge add\"")
	c.Flags().BoolVar(&d.once, "once", false, "stop after the morning and say what it cost")
	return c
}

// demo is one run of it.
type demo struct {
	listen string
	speed  float64
	once   bool
	centre string // address; empty: none
	code   string

	mu    sync.Mutex // of out: calls are told from the daemon's goroutine
	out   io.Writer
	calls int
	ready map[string]bool // recordings that were told
}

func (d *demo) run(ctx context.Context) error {
	if (d.centre == "") != (d.code == "") {
		return &usageError{errors.New("--centre goes with --code")}
	}
	if d.speed <= 0 || d.speed > 1000 {
		return &usageError{fmt.Errorf("--speed must be above 0 and at most 1000, have %v", d.speed)}
	}
	dir, err := os.MkdirTemp("", "voipd-demo-")
	if err != nil {
		return fmt.Errorf("make a folder for the demo: %w", err)
	}
	defer os.RemoveAll(dir)
	monitor := filepath.Join(dir, "monitor")
	// The morning ends about now, so that the records' times are in the past.
	begin := time.Now().Add(-time.Duration(50 * (1 - 1/d.speed) * float64(time.Second)))
	pbx, err := sim.New(sim.Options{Monitor: monitor, Speed: d.speed, Begin: begin, Endpoints: office(), Log: d.log()})
	if err != nil {
		return err
	}
	defer pbx.Close()
	keeper, err := d.daemon(ctx, dir, monitor, pbx.Addr())
	if err != nil {
		return err
	}
	return d.play(ctx, pbx, keeper)
}

// office is who sits there.
func office() []sim.Endpoint {
	all := []sim.Endpoint{{Name: "trunk-a", OutboundAuth: "trunk-a", Context: "from-trunk"}}
	for _, who := range []struct{ ext, name, state string }{
		{"101", "Anna Ivanova", ""}, {"102", "Oleg Petrov", ""}, {"103", "Пётр Ёлкин", ""}, {"104", "Maria Weber", ""}, {"105", "Irina Sokolova", "Unavailable"}, {"106", "Front desk", ""},
	} {
		all = append(all, sim.Endpoint{Name: who.ext, Auths: who.ext, Context: "from-internal", CallerID: fmt.Sprintf("%q <%s>", who.name, who.ext), State: who.state})
	}
	return all
}

// daemon is the real one, with a configuration made on the spot.
func (d *demo) daemon(ctx context.Context, dir, monitor, pbx string) (*daemon.Daemon, error) {
	sum := sha256.Sum256([]byte(demoToken))
	c := config.Default()
	c.Asterisk.Name, c.Asterisk.Address, c.Asterisk.Username, c.Asterisk.Secret = "demo", pbx, "voipd", "voipd"
	c.Numbers.Extensions, c.Numbers.Trunks = []string{`^1\d\d$`}, []string{`^PJSIP/trunk-`}
	c.Numbers.Rewrite = []config.Rewrite{{Match: `^9(\d{10,})$`, Replace: "$1"}}
	c.Recordings.Directories = []config.Directory{{Path: monitor}}
	c.Store.Path = filepath.Join(dir, "voipd.db")
	c.HTTP.Listen = d.listen
	c.HTTP.Tokens = []config.Token{{Name: "demo", SHA256: hex.EncodeToString(sum[:])}}
	if d.centre != "" {
		j, err := askToJoin(ctx, strings.TrimRight(d.centre, "/"), d.code)
		if err != nil {
			return nil, err
		}
		c.Asterisk.Name, c.Centre = j.PBX, config.Centre{Address: d.centre, Token: config.Secret(j.Token)}
	}
	// The fake PBX's morning passes faster than ours.
	opt := daemon.Options{Version: version(), Log: d.log(), ClockApart: time.Hour}
	d.ready = map[string]bool{}
	var keeper *daemon.Daemon
	opt.OnChange = func(changes []record.Change) { d.tell(keeper, changes) }
	keeper, err := daemon.New(ctx, c, opt)
	if errors.Is(err, syscall.EADDRINUSE) {
		host, _, _ := net.SplitHostPort(d.listen)
		c.HTTP.Listen = net.JoinHostPort(host, "0")
		keeper, err = daemon.New(ctx, c, opt)
	}
	return keeper, err
}

// log is for trouble only: the terminal belongs to the calls.
func (d *demo) log() *slog.Logger {
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

func (d *demo) play(ctx context.Context, pbx *sim.PBX, keeper *daemon.Daemon) error {
	morning, err := sim.Morning()
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var running sync.WaitGroup
	running.Go(func() { _ = pbx.Run(ctx) }) // it ends because it was told to
	done := make(chan error, 1)
	go func() { done <- keeper.Run(ctx) }()
	d.print("%s", d.welcome(keeper.BaseURL(), keeper.SignInLink(demoToken)))
	over := pbx.PlayAll(morning)
	for {
		select {
		case <-over:
			over = nil
			d.print("\nThe morning is over: %d calls. The addresses above go on working; Ctrl-C ends the demo.\n", d.calls)
			if d.once {
				d.print("%s", memory())
				stop()
			}
		case err := <-done:
			stop()
			pbx.Close()
			running.Wait()
			return err
		}
	}
}

func (d *demo) welcome(base, link string) string {
	return strings.NewReplacer("BASE", base, "TOKEN", demoToken, "LINK", link).Replace(`open LINK

The link signs in once, within five minutes; after that open BASE/ and give the token "TOKEN".
voipd keeps the records of an office's morning, played by a fake PBX.

  curl -s -H 'Authorization: Bearer TOKEN' 'BASE/v1/records?limit=3'
  curl -s -H 'Authorization: Bearer TOKEN' 'BASE/v1/records?disposition=no_answer&phone=101'
  curl -s -H 'Authorization: Bearer TOKEN' BASE/v1/health
  Recordings open in a browser by the links below.

`)
}

func (d *demo) print(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	fmt.Fprintf(d.out, format, args...)
}

// tell shows what was decided, one line each.
func (d *demo) tell(keeper *daemon.Daemon, changes []record.Change) {
	for _, c := range changes {
		line := ""
		switch c.Kind {
		case record.PhoneRang:
			line = fmt.Sprintf("ringing    %s → %s", cmp.Or(c.Other, "pbx"), c.Phone)
		case record.PhoneStopped:
			line = fmt.Sprintf("stopped    %s: %s", c.Phone, c.Outcome)
		case record.CallAnswered:
			line = fmt.Sprintf("answered   %s ↔ %s", c.Other, c.Phone)
		case record.CallTransferred:
			line = fmt.Sprintf("transfer   %s hands over to %s", c.Phone, c.Other)
		case record.CallEnded:
			d.mu.Lock()
			d.calls++
			d.mu.Unlock()
			line = "record     " + summary(c.Record)
		case record.RecordRevised:
			line = d.recording(keeper, c.Record)
		}
		if line != "" {
			d.print("%s  %s\n", c.At.Format(time.TimeOnly), trace.Inert(line))
		}
	}
}

func summary(r *record.Record) string {
	text := fmt.Sprintf("%s  %s → %s  %s", r.Direction, r.SrcPhone, r.DstPhone, r.Disposition)
	if r.Duration > 0 {
		text += fmt.Sprintf(", %d s", r.Duration)
	}
	return text
}

// recording shows the link to a recording when its file is whole.
func (d *demo) recording(keeper *daemon.Daemon, r *record.Record) string {
	rec := r.FirstRecording()
	if rec == nil || rec.State != record.Ready || d.ready[rec.ID] {
		return ""
	}
	d.ready[rec.ID] = true
	return fmt.Sprintf("recording  %.1f s  %s", float64(rec.MS)/1000, keeper.Link(r.CallID, rec.ID))
}

// memory says what the process holds when nothing happens.
func memory() string {
	debug.FreeOSMemory() // what Go keeps for later is given back after some minutes anyway
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	status, err := os.ReadFile("/proc/self/status")
	rss := "unknown"
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, "VmRSS:"); ok && err == nil {
			rss = strings.TrimSpace(value)
		}
	}
	return fmt.Sprintf("Memory at rest, fake PBX included: %s resident, %d kB of it Go heap.\n", rss, m.HeapAlloc/1024)
}
