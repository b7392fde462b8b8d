// Package capture reads and writes what a PBX said: the raw bytes of an AMI
// session and, beside them, an index of when each piece arrived.
//
// A capture NAME is the file NAME.txt (or NAME.txt.gz) with the bytes as they
// came, from the banner, and NAME.idx with lines "seconds offset": the time at
// which the piece that begins at that offset arrived. Without an index, the
// times are taken from the stream itself as far as it tells them.
package capture

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/voipd/voipd/ami"
	"github.com/voipd/voipd/ari"
	"github.com/voipd/voipd/internal/backfill"
	"github.com/voipd/voipd/internal/trace"
	"github.com/voipd/voipd/record"
)

// Stats says what a capture held.
type Stats struct {
	Messages  int
	Events    int
	Malformed int  // messages that could not be read; each cost only itself
	Timeless  bool // neither an index nor timestamps: times are estimates
}

// Events reads the capture at path and calls each for every fact in it, in
// order: the bytes of an AMI session, or, where the name ends in .jsonl, ARI
// events, one a line, or, where it ends in .trace, what voipd export wrote, or,
// where it ends in .csv, rows of CEL (the name has "cel") or CDR (it has "cdr"),
// with dates in UTC; a Master.csv, as both are called where Asterisk writes them,
// is CEL in a folder whose name has "cel", else CDR. variables are channel variables to pass
// on besides the usual ones; CEL and CDR have none. Passwords in dial strings are
// hidden, as they are from a PBX.
func Events(path string, variables []string, take func(record.Event)) (Stats, error) {
	each := func(e record.Event) {
		e.HideSecrets()
		take(e)
	}
	file, err := Open(path)
	if err != nil {
		return Stats{}, err
	}
	defer file.Close()
	switch filepath.Ext(strings.TrimSuffix(path, ".gz")) {
	case ".jsonl":
		return ariEvents(path, file, variables, each)
	case ".trace":
		return traceEvents(path, file, each)
	case ".csv":
		return rowEvents(path, file, each)
	}
	return amiEvents(path, file, variables, each)
}

// rowEvents reads what Asterisk wrote down itself.
func rowEvents(path string, file io.Reader, each func(record.Event)) (Stats, error) {
	var rows backfill.Stats
	var err error
	name, folder := strings.ToLower(filepath.Base(path)), strings.ToLower(filepath.Base(filepath.Dir(path)))
	master := strings.HasPrefix(name, "master.csv")
	switch {
	case strings.Contains(name, "cel"), master && strings.Contains(folder, "cel"):
		rows, err = backfill.ReadCEL(file, backfill.Options{}, each)
	case strings.Contains(name, "cdr"), master:
		rows, err = backfill.ReadCDR(file, backfill.Options{}, each)
	default:
		return Stats{}, fmt.Errorf("read %s: rows of what? Name the file *cel*.csv or *cdr*.csv", path)
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", path, err)
	}
	return Stats{Messages: rows.Rows, Events: rows.Events, Malformed: rows.Malformed}, err
}

// traceEvents reads what voipd export wrote.
func traceEvents(path string, file io.Reader, each func(record.Event)) (stats Stats, err error) {
	_, stats.Malformed, err = trace.Read(file, func(e record.Event) {
		stats.Messages++
		stats.Events++
		each(e)
	})
	if err != nil {
		err = fmt.Errorf("%s: %w", path, err)
	}
	return stats, err
}

func amiEvents(path string, file io.Reader, variables []string, each func(record.Event)) (Stats, error) {
	index, err := readIndex(indexPath(path))
	if err != nil {
		return Stats{}, err
	}
	clock := &clock{index: index}
	if len(index) == 0 {
		if clock.anchors, err = guessFile(path); err != nil {
			return Stats{}, err
		}
	}
	reader, translate := ami.NewReader(file, ami.Bounds{}), ami.NewTranslator(variables...)
	var stats Stats
	for {
		m, err := reader.Next()
		var bad *ami.MalformedError
		switch {
		case err == io.EOF:
			stats.Timeless = clock.guessed()
			return stats, nil
		case errors.As(err, &bad):
			stats.Malformed++
			continue
		case err != nil:
			return stats, fmt.Errorf("read %s: %w", path, err)
		}
		if err := ami.Supported(reader.Greeting()); stats.Messages == 0 && err != nil {
			return stats, fmt.Errorf("read %s: %w", path, err)
		}
		stats.Messages++
		if e, ok := translate.Event(m, clock.at(m)); ok {
			stats.Events++
			each(e)
		}
	}
}

// ariLine bounds one ARI event: a channel with all its variables has some KB.
const ariLine = 1 << 20

func ariEvents(path string, file io.Reader, variables []string, each func(record.Event)) (Stats, error) {
	lines, translate := bufio.NewScanner(file), ari.NewTranslator(variables...)
	lines.Buffer(nil, ariLine)
	var stats Stats
	var events []record.Event
	var err error
	for lines.Scan() {
		if len(lines.Bytes()) == 0 {
			continue
		}
		if events, err = translate.Events(events[:0], lines.Bytes(), time.Unix(0, 0)); err != nil {
			stats.Malformed++
			continue
		}
		stats.Messages++
		stats.Events += len(events)
		for _, e := range events {
			each(e)
		}
	}
	if err := lines.Err(); err != nil {
		return stats, fmt.Errorf("read %s: %w", path, err)
	}
	return stats, nil
}

// guessFile reads a capture once for the times in it.
func guessFile(path string) ([]anchor, error) {
	file, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return guess(file), nil
}

// Open opens a file of a capture, unpacking it where it ends in .gz.
func Open(path string) (io.ReadCloser, error) {
	f, err := os.Open(path)
	if err != nil || !strings.HasSuffix(path, ".gz") {
		return f, err
	}
	z, err := gzip.NewReader(bufio.NewReader(f))
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("unpack %s: %w", path, err)
	}
	return &unpacked{z, f}, nil
}

// ReadFile reads a file of a capture as Open opens it.
func ReadFile(path string) ([]byte, error) {
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(f)
	return text, errors.Join(err, f.Close())
}

type unpacked struct {
	*gzip.Reader
	file *os.File
}

func (u *unpacked) Close() error { return errors.Join(u.Reader.Close(), u.file.Close()) }

// indexPath is where the index of the capture at path lies: ami.txt and
// ami.txt.gz have ami.idx.
func indexPath(path string) string {
	return strings.TrimSuffix(strings.TrimSuffix(path, ".gz"), ".txt") + ".idx"
}

// piece is a part of the stream that arrived at once.
type piece struct {
	at     time.Time
	offset int64
}

// readIndex reads an index; a missing one is no error.
func readIndex(path string) ([]piece, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read index: %w", err)
	}
	var index []piece
	for n, line := range strings.Split(strings.TrimSpace(string(data)), "\n") {
		secs, off, _ := strings.Cut(strings.TrimSpace(line), " ")
		at, err1 := strconv.ParseFloat(secs, 64)
		offset, err2 := strconv.ParseInt(off, 10, 64)
		if err := errors.Join(err1, err2); err != nil {
			return nil, fmt.Errorf("read index: %s:%d: want \"seconds offset\": %w", path, n+1, err)
		}
		index = append(index, piece{time.UnixMicro(int64(at * 1e6)).UTC(), offset})
	}
	return index, nil
}
