package backfill

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// where is a row of a file beside the span that is read.
type where uint8

const (
	near where = iota
	far
	behind // no further row can be near
)

// passed tells whether a row's time is so far behind the span that no further row
// can be near: a CDR row comes when its call is over.
func (s Span) passed(at time.Time) bool { return !s.To.IsZero() && at.After(s.To.Add(reach)) }

var errBehind = errors.New("the rows are behind the span")

// readFile reads a CSV file. Asterisk appends to it for years, so the span's
// place is sought by the times of rows; others are passed over.
func (s *Source) readFile(ctx context.Context, span Span, to rows, stats *Stats, after func() error) error {
	file, err := os.Open(s.opt.Path)
	if err != nil {
		return fmt.Errorf("read rows: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("read rows: %w", err)
	}
	span = span.Wide(reach)
	var ahead leapt
	if to.leap != nil {
		first, err := s.seek(file, info.Size(), span.From)
		if err != nil {
			return fmt.Errorf("read rows: %w", err)
		}
		if ahead, err = s.findLeaps(ctx, first, span); err != nil {
			return err
		}
	}
	counted, err := s.seek(file, info.Size(), span.From)
	if err != nil {
		return fmt.Errorf("read rows: %w", err)
	}
	place := shapeOf(s, func(l layout, cells []string) (where, error) {
		at, err := when(s.time(l, cells), s.opt.Zone)
		if err == nil && ahead[at] {
			to.leap(at)
		}
		switch {
		case err != nil || span.Touches(at, at):
			return near, to.cells(l, cells)
		case span.passed(at):
			return behind, nil
		}
		return far, nil
	})
	err = readRowsUntil(counted, place, stats, func(w where) error {
		to.done(float64(counted.n) / float64(max(1, info.Size())))
		if w == near {
			return after()
		}
		stats.Rows--
		if w == behind {
			return errBehind
		}
		return ctx.Err()
	})
	if errors.Is(err, errBehind) {
		return nil
	}
	return err
}

// shapeOf finds the layout of each row of the source's file.
func shapeOf[R any](s *Source, read func(layout, []string) (R, error)) *shape[R] {
	usual, must := CELLayouts(), []string{"eventtype", "uniqueid"}
	if s.opt.Kind == CDR {
		usual, must = CDRLayouts(), []string{"channel", "dstchannel"}
	}
	return newShape(Options{Columns: s.opt.Layout}, usual, must, read)
}

// stride is how near to a time is sought; what is left is read.
const stride = 1 << 20

// seek gives what reads the file's first line, which may have the names of its
// columns, and then the rows from a time on, perhaps a few more; it counts the
// bytes that are passed over as read. Rows stand, roughly, in the order of
// their times.
func (s *Source) seek(file *os.File, size int64, from time.Time) (*countedReader, error) {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	if from.IsZero() || size <= 2*stride {
		return &countedReader{from: file}, nil
	}
	first, err := bufio.NewReaderSize(file, longest).ReadSlice('\n')
	if err != nil {
		return nil, err
	}
	first = bytes.Clone(first)
	times := shapeOf(s, func(l layout, cells []string) (time.Time, error) { return when(s.time(l, cells), s.opt.Zone) })
	_, _, _ = times.line(string(bytes.TrimRight(first, "\r\n"))) // for the layout; a row that cannot be read is counted later
	low, high := int64(0), size
	for high-low > stride {
		middle := low + (high-low)/2
		at, ok, err := firstTime(io.NewSectionReader(file, middle, high-middle), times)
		if err != nil {
			return nil, err
		}
		if ok && at.Before(from) {
			low = middle
		} else {
			high = middle
		}
	}
	if low == 0 {
		_, err := file.Seek(0, io.SeekStart)
		return &countedReader{from: file}, err
	}
	rest := bufio.NewReaderSize(io.NewSectionReader(file, low, size-low), longest)
	if _, err := rest.ReadSlice('\n'); err != nil && !errors.Is(err, bufio.ErrBufferFull) {
		return nil, err
	}
	return &countedReader{io.MultiReader(bytes.NewReader(first), rest), low}, nil
}

// firstTime is the time of the first row that can be read behind the first end
// of a line.
func firstTime(r io.Reader, times *shape[time.Time]) (at time.Time, ok bool, err error) {
	begun := false
	_, err = eachLine(r, func(line string) error {
		if !begun { // a part of a line
			begun = true
			return nil
		}
		var bad error
		if at, ok, bad = times.line(line); bad != nil || !ok {
			return nil
		}
		return errBehind
	})
	if errors.Is(err, errBehind) {
		err = nil
	}
	return at, ok, err
}

// countedReader counts what is read.
type countedReader struct {
	from io.Reader
	n    int64
}

func (c *countedReader) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.n += int64(n)
	return n, err
}
