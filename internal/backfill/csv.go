package backfill

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
)

// longest bounds a line: Asterisk's own buffers for one row have 16 KB.
const longest = 64 << 10

// eachLine calls each for every line of r that is not empty, in order, and
// gives how many were longer than the bound and left out. It stops at the first
// error of each. Asterisk writes a row a line: a quote that is never closed then
// costs one row, not the rest.
func eachLine(r io.Reader, each func(line string) error) (long int, err error) {
	lines := bufio.NewReaderSize(r, longest)
	for {
		line, err := lines.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			long++
			for errors.Is(err, bufio.ErrBufferFull) {
				_, err = lines.ReadSlice('\n')
			}
			line = nil
		}
		if text := strings.TrimRight(string(line), "\r\n"); text != "" {
			if err := each(text); err != nil {
				return long, err
			}
		}
		if err == io.EOF {
			return long, nil
		}
		if err != nil {
			return long, fmt.Errorf("read rows: %w", err)
		}
	}
}

// split takes a line of CSV apart at each comma, or what else separates its cells,
// appending them to dst: quoted ones with quotes doubled, others as they are.
func split(dst []string, line, comma string) ([]string, error) {
	for {
		if !strings.HasPrefix(line, `"`) {
			cell, rest, more := strings.Cut(line, comma)
			dst = append(dst, cell)
			if !more {
				return dst, nil
			}
			line = rest
			continue
		}
		end := closing(line)
		if end < 0 {
			return dst, unread(SkipQuotes, "read row: a quote is not closed")
		}
		dst = append(dst, strings.ReplaceAll(line[1:end], `""`, `"`))
		rest := line[end+1:]
		if rest == "" {
			return dst, nil
		}
		if !strings.HasPrefix(rest, comma) {
			return dst, unread(SkipQuotes, "read row: text behind a closing quote")
		}
		line = rest[1:]
	}
}

// closing is where the quote that opens line is closed; -1 for nowhere.
func closing(line string) int {
	for i := 1; i < len(line); i++ {
		if line[i] != '"' {
			continue
		}
		if i+1 < len(line) && line[i+1] == '"' {
			i++
			continue
		}
		return i
	}
	return -1
}

// readRows reads every row of a CSV file by its shape.
func readRows[R any](r io.Reader, s *shape[R], each func(R)) (stats Stats, err error) {
	err = readRowsUntil(r, s, &stats, func(row R) error {
		each(row)
		return nil
	})
	return stats, err
}

// readRowsUntil is readRows that stops at the first error of each.
func readRowsUntil[R any](r io.Reader, s *shape[R], stats *Stats, each func(R) error) error {
	long, err := eachLine(r, func(line string) error {
		row, ok, bad := s.line(line)
		if bad != nil {
			stats.leftOut(bad)
			return nil
		}
		if !ok {
			return nil
		}
		stats.Rows++
		return each(row)
	})
	stats.Malformed += long
	stats.Skipped[SkipLong] += long
	return err
}
