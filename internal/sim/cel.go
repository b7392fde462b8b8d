package sim

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// row is a CEL row of a capture: the cells of cel_custom's file.
type row struct {
	after time.Duration // from the beginning of the capture
	cells []string
}

// celTime is the cell that holds the time of a row.
const celTime = 1

// loadCEL reads the CEL rows beside a capture, if there are any.
func (c *Capture) loadCEL(files fs.FS, dir string) error {
	text, err := readMaybeGzip(files, path.Join(dir, "cel.csv"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	all, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil {
		return fmt.Errorf("cel.csv: %w", err)
	}
	for _, cells := range all {
		seconds, err := strconv.ParseFloat(cells[celTime], 64)
		if err != nil {
			return fmt.Errorf("cel.csv: %w", err)
		}
		c.rows = append(c.rows, row{after: time.UnixMicro(int64(seconds * 1e6)).Sub(c.began), cells: cells})
	}
	return nil
}

// step is an event that is sent or a row that is written.
type step struct {
	captured
	row []string
}

// steps are what a play does, in the order of time.
func (c *Capture) steps(rows bool) []step {
	var all []step
	for _, e := range c.events {
		all = append(all, step{captured: e})
	}
	if rows {
		for _, r := range c.rows {
			all = append(all, step{captured: captured{after: r.after}, row: r.cells})
		}
		slices.SortStableFunc(all, func(a, b step) int { return int(a.after - b.after) })
	}
	return all
}

// write appends a row of a play to the PBX's CEL.
func (p *PBX) write(cells []string, rewrite *strings.Replacer, at time.Time) {
	p.mu.Lock()
	at = at.Add(p.ahead)
	p.mu.Unlock()
	cells = slices.Clone(cells)
	for i := range cells {
		cells[i] = rewrite.Replace(cells[i])
	}
	cells[celTime] = fmt.Sprintf("%d.%06d", at.Unix(), at.Nanosecond()/1000)
	var line strings.Builder
	for i, cell := range cells {
		if i > 0 {
			line.WriteByte(',')
		}
		line.WriteString(`"` + strings.ReplaceAll(cell, `"`, `""`) + `"`)
	}
	line.WriteByte('\n')
	p.cel.Lock()
	defer p.cel.Unlock()
	f, err := os.OpenFile(p.opts.CEL, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err == nil {
		_, err = f.WriteString(line.String())
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		p.opts.Log.Error("fake PBX: CEL", "error", err)
	}
}
