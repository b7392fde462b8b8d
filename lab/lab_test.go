//go:build lab

package lab

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	versionFlag = flag.String("asterisk", "22", "version of Asterisk that the office runs on")
	onlyFlag    = flag.String("only", "", "regular expression: play only scenarios whose name matches")
	captureFlag = flag.String("capture", "", "folder: play one scenario after the other without voipd and write a capture of each there")
	goldenFlag  = flag.String("golden", "", "folder: write a small capture of each scenario that was right there, by AMI and ARI, below 22/ or 16/")
	morningFlag = flag.String("morning", "", "folder: write the AMI stream and recordings of the whole run there")
)

// TestOffice plays the table on a real Asterisk and asks voipd what happened.
// With VOIPD_LAB_DRIVE=1 voipd is left out, and only the playing is judged.
func TestOffice(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 14*time.Minute)
	defer cancel()
	started := time.Now()
	r := openRun(ctx, t)
	if *captureFlag != "" {
		r.captureEach(ctx, t, *captureFlag)
		return
	}
	if os.Getenv("VOIPD_LAB_DRIVE") == "" {
		r.startDaemons(ctx, t, "ami", "ari")
	}
	r.playAll(ctx, t, maxTogether)
	if r.daemon != nil {
		r.ask(ctx, t)
		r.playAgain(ctx, t)
		r.outputs(ctx, t)
	}
	if *goldenFlag != "" {
		if err := r.golden(filepath.Join(*goldenFlag, r.version.Name)); err != nil {
			t.Error(err)
		}
	}
	r.report(t, time.Since(started))
}

// TestTable finds mistakes in the table without playing it.
func TestTable(t *testing.T) {
	if err := Check(append(Scenarios(), appCalls()...)); err != nil {
		t.Error(err)
	}
}

// openRun starts the office, its PBX with these options, and has it removed when
// the test ends.
func openRun(ctx context.Context, t *testing.T, options ...Option) *run {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("the laboratory needs root: it runs Asterisk in a chroot")
	}
	version, err := VersionNamed(*versionFlag)
	if err != nil {
		t.Fatal(err)
	}
	only, err := regexp.Compile(*onlyFlag)
	if err != nil {
		t.Fatal(err)
	}
	r := &run{version: version, problems: map[string][]string{}}
	for _, s := range Scenarios() {
		if why := s.Not[version.Name]; why != "" {
			r.left = append(r.left, s.Name+" ("+why+")")
			continue
		}
		if only.MatchString(s.Name) {
			r.scenarios = append(r.scenarios, s)
		}
	}
	if err := Check(r.scenarios); err != nil {
		t.Fatal(err)
	}
	r.dir = openDir(t)
	if r.office, err = OpenOffice(ctx, r.dir, version, options...); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.office.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// openDir holds the laboratory's folder until the test ends.
func openDir(t *testing.T) *Dir {
	t.Helper()
	dir, err := OpenDir(cmp.Or(os.Getenv("VOIPD_LAB_DIR"), DefaultDir))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dir.Close() })
	return dir
}

// startDaemons lets voipd watch, by each of the sources ("ami" first, then
// "ari") in a process of its own; at the test's end they have to go quietly.
func (r *run) startDaemons(ctx context.Context, t *testing.T, sources ...string) {
	t.Helper()
	module, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	files := filepath.Join(r.dir.Path, "run")
	t.Cleanup(func() {
		if os.Getenv("VOIPD_LAB_KEEP") == "" {
			if err := os.RemoveAll(files); err != nil {
				t.Error(err)
			}
		}
	})
	binary, err := BuildVoipd(ctx, module, files)
	if err != nil {
		t.Fatal(err)
	}
	for _, source := range sources {
		d, err := StartDaemon(ctx, r.office, binary, filepath.Join(files, source), Setup{Source: source, Hook: r.hooks[source]})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := d.Stop(); err != nil {
				t.Error(err)
			}
		})
		r.office.voipds[source] = d
		if source == "ari" {
			r.second = d
		} else {
			r.daemon = d
		}
	}
}

// captureEach writes a capture of every scenario, played alone.
func (r *run) captureEach(ctx context.Context, t *testing.T, dir string) {
	t.Helper()
	for _, s := range r.scenarios {
		rec, err := r.office.Record(ctx, harnessUser)
		if err != nil {
			t.Fatal(err)
		}
		p, err := r.office.Play(ctx, s)
		if err != nil {
			t.Error(err)
			rec.Close()
			continue
		}
		if err := rec.Save(filepath.Join(dir, s.Name), s.Name, s.Title, r.version.Name, p); err != nil {
			t.Error(err)
		}
	}
	fmt.Printf("lab: Asterisk %s: %d captures in %s\n", r.version.Name, len(r.scenarios), dir)
}

// report says in subtests what is wrong with each scenario, and in one
// closing line how many were right.
func (r *run) report(t *testing.T, took time.Duration) {
	passed, failed, later := 0, 0, 0
	for _, s := range r.scenarios {
		problems := r.problems[s.Name]
		switch {
		case len(problems) == 0:
			passed++
		case s.Later:
			later++
		default:
			failed++
		}
		t.Run(s.Name, func(t *testing.T) {
			for _, problem := range problems {
				if s.Later {
					t.Logf("later: %s", problem)
				} else {
					t.Error(problem)
				}
			}
		})
	}
	for _, name := range slices.Sorted(maps.Keys(r.again)) {
		fmt.Printf("lab: Asterisk %s: %s was right alone; in company: %s\n", r.version.Name, name, strings.Join(r.again[name], "; "))
	}
	for _, s := range r.left {
		fmt.Printf("lab: Asterisk %s: left out: %s\n", r.version.Name, s)
	}
	judged := fmt.Sprintf("records over AMI, over ARI and from CEL, recordings; %d differences of ARI and %d of CEL are on the list", r.listed, r.unwritten)
	if r.daemon == nil {
		judged = "played only, voipd not asked"
	}
	fmt.Printf("lab: Asterisk %s: %d scenarios: %d passed (%d of them when played again), %d failed, %d not right yet and not counted (%s) in %.0f s\n",
		r.version.Name, len(r.scenarios), passed, len(r.again), failed, later, judged, took.Seconds())
}
