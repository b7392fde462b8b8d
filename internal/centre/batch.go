package centre

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/klauspost/compress/zstd"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

// batch is what an edge ships at once.
type batch struct {
	head    contract.ShipHead
	rows    []row // each call once, sorted by its id, so that batches of one PBX never lock each other out
	refused []contract.Refused
}

// row is a record, as it goes into the table.
type row struct {
	store.Row
	record     record.Record
	recordings string
	sum        int64
	found      store.Findable
}

// errBatch is a batch that makes no sense.
var errBatch = errors.New("it is no batch")

// readBatch reads a packed batch of a PBX. It takes no more memory than the bounds of a
// batch, whatever is packed. A record that is none is refused, and the others are taken.
func readBatch(from io.Reader, pbx string) (*batch, error) {
	// One goroutine, none left behind: the server has one for each request.
	z, err := zstd.NewReader(from, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(contract.MostShippedBytes), zstd.WithDecoderMaxWindow(8<<20))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errBatch, err)
	}
	defer z.Close()
	in := bufio.NewReaderSize(io.LimitReader(z, contract.MostShippedBytes+1), 64<<10)
	b, total := &batch{}, 0
	folded := map[string]int{}
	for n := 0; ; n++ {
		line, err := in.ReadBytes('\n')
		total += len(line)
		switch {
		case errors.Is(err, io.EOF) && len(line) == 0 && n > 0:
			b.sort()
			return b, nil
		case err != nil:
			return nil, fmt.Errorf("%w: line %d: %w", errBatch, n+1, err)
		case total > contract.MostShippedBytes:
			return nil, fmt.Errorf("%w: it is longer than %d bytes", errBatch, contract.MostShippedBytes)
		case n > contract.MostShipped:
			return nil, fmt.Errorf("%w: it has more than %d records", errBatch, contract.MostShipped)
		case n == 0:
			if err := json.Unmarshal(line, &b.head); err != nil {
				return nil, fmt.Errorf("%w: its head: %w", errBatch, err)
			}
			if len(b.head.Gone) > contract.MostGone {
				return nil, fmt.Errorf("%w: it says of more than %d calls that they are gone", errBatch, contract.MostGone)
			}
			b.checkGone()
		default:
			b.take(bytes.TrimSuffix(line, []byte("\n")), pbx, folded)
		}
	}
}

// take adds a record. The later account of a call is in the place of an earlier one.
func (b *batch) take(line []byte, pbx string, folded map[string]int) {
	r, err := readRow(line, pbx)
	if err != nil {
		b.refused = append(b.refused, contract.Refused{CallID: r.CallID, Why: err.Error()})
		return
	}
	if at, twice := folded[r.CallID]; twice {
		b.rows[at] = r
		return
	}
	folded[r.CallID] = len(b.rows)
	b.rows = append(b.rows, r)
}

func readRow(line []byte, pbx string) (r row, err error) {
	var s contract.ShipRecord
	if err := json.Unmarshal(line, &s); err != nil {
		return r, fmt.Errorf("it is no record: %w", err)
	}
	r.Row = store.Row{CallID: s.CallID, StartedAt: s.StartedAt.UTC(), Direction: record.Direction(s.Direction), Disposition: record.Disposition(s.Disposition),
		SrcPhone: s.SrcPhone, SrcPhoneExt: s.SrcPhoneExt, DstPhone: s.DstPhone, DstPhoneExt: s.DstPhoneExt, Duration: s.Duration, Text: string(s.Details)}
	if err := checkRow(&s); err != nil {
		return r, err
	}
	for _, rec := range s.Recordings {
		r.Recordings = append(r.Recordings, record.Recording{ID: rec.ID, Path: rec.Path, At: rec.At.UTC(), State: record.RecordingState(rec.State), Bytes: rec.Bytes, MS: rec.MS, Talk: rec.Talk, Found: rec.Found})
	}
	if len(s.Recordings) > 0 {
		text, err := json.Marshal(s.Recordings)
		if err != nil {
			return r, fmt.Errorf("write recordings: %w", err)
		}
		r.recordings = string(text)
	}
	if r.Row, r.record, err = store.NewRow(r.Row, pbx); err != nil {
		return r, err
	}
	r.sum = contract.ShipSum(line)
	r.found = store.FindableOf(&r.record)
	r.found.Name = strings.ReplaceAll(r.found.Name, "\x00", "")
	for i, key := range r.found.Keys {
		r.found.Keys[i] = textKey(key)
	}
	return r, nil
}

// checkRow refuses what the table cannot hold, or what would be shown as something
// that it is not.
func checkRow(s *contract.ShipRecord) error {
	if err := checkID(s.CallID); err != nil {
		return err
	}
	switch {
	case s.StartedAt.Year() < 1970 || s.StartedAt.Year() > 9999:
		return errors.New("it began in no year from 1970 to 9999")
	case s.Duration < 0 || s.Duration > 1<<31-1:
		return fmt.Errorf("%d seconds are no duration", s.Duration)
	}
	for _, text := range []string{s.Direction, s.Disposition, s.SrcPhone, s.SrcPhoneExt, s.DstPhone, s.DstPhoneExt} {
		if strings.ContainsRune(text, 0) {
			return errors.New("one of its texts has a zero byte")
		}
	}
	return nil
}

// textKey makes a text of a key, which may have any bytes where its value was too long.
func textKey(key string) string {
	if utf8.ValidString(key) && !strings.ContainsRune(key, 0) && !strings.Contains(key, keySeparator) {
		return key
	}
	return key[:1] + "#" + hex.EncodeToString([]byte(key[1:]))
}

// keySeparator stands between the keys of a record on their way to the table.
const keySeparator = "\x1f"

func (b *batch) buckets() []time.Time {
	var all []time.Time
	seen := map[time.Time]bool{}
	for i := range b.rows {
		if month := bucketOf(b.rows[i].CallID); !seen[month] {
			seen[month] = true
			all = append(all, month)
		}
	}
	return all
}
