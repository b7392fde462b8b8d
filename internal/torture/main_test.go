package torture

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/config"
	"github.com/voipd/voipd/internal/daemon"
	"github.com/voipd/voipd/record"
)

// configVariable names voipd's configuration to a process that is to be voipd.
const configVariable = "VOIPD_TORTURE_CONFIG"

// poisonSignal makes voipd's next fact panic.
const poisonSignal = syscall.SIGUSR1

// TestMain is voipd itself where the test binary was started to be it.
func TestMain(m *testing.M) {
	if path := os.Getenv(configVariable); path != "" {
		if err := serve(path); err != nil {
			fmt.Fprintln(os.Stderr, "voipd:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	flag.Uint64("seed", uint64(time.Now().UnixNano()), "of what happens when")
	flag.Int("faults", 0, "how many faults there are; 0: TestTorture is skipped")
	flag.Duration("for", 45*time.Second, "how long calls and faults go on")
	flag.Duration("load", 0, "how long TestLoad goes on; 0: it is skipped")
	flag.Parse()
	os.Exit(m.Run())
}

// option is the value of one of the flags of TestMain.
func option[T any](name string) T { return flag.Lookup(name).Value.(flag.Getter).Get().(T) }

// serve is "voipd serve", with less patience.
func serve(path string) error {
	conf, err := config.Load(path)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	poison := make(chan os.Signal, 1)
	signal.Notify(poison, poisonSignal)
	defer signal.Stop(poison)
	fault := func(e record.Event) {
		select {
		case <-poison:
			panic("the torture lets a fact panic: " + e.Kind.String())
		default:
		}
	}
	d, err := daemon.New(ctx, conf, daemon.Options{Version: "torture", Log: slog.New(slog.NewTextHandler(os.Stderr, nil)),
		RepairDelay: time.Second, Refused: time.Second, Fault: fault})
	if err != nil {
		return err
	}
	return d.Run(ctx)
}
