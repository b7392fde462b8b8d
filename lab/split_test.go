//go:build lab

package lab

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// A golden capture is what one scenario of a whole run left in the streams:
// they are taken apart by the channels that each message names.

// golden writes a folder for each scenario that was right.
func (r *run) golden(dir string) error {
	ami, ari := r.office.watch.sortAMI(r.stream.raw.String()), r.office.watch.sortARI(r.stream.ari.String())
	for _, p := range r.played {
		want := expected(p)
		if len(r.problems[p.Name]) > 0 || r.again[p.Name] != nil || len(want) == 0 {
			continue
		}
		text, err := json.MarshalIndent(expectation{Scenario: p.Name, Title: p.Title, Asterisk: r.version.Name,
			Started: float64(p.started.UnixMilli()) / 1e3, Seconds: p.ended.Sub(p.started).Seconds(), Records: want}, "", " ")
		if err != nil {
			return fmt.Errorf("golden capture: %w", err)
		}
		if err := writeGolden(filepath.Join(dir, p.Name), map[string]string{
			"ami.txt.gz": ami[p], "ari.jsonl.gz": ari[p], "expect.json": string(text) + "\n"}); err != nil {
			return fmt.Errorf("golden capture %s: %w", p.Name, err)
		}
	}
	return nil
}

func writeGolden(dir string, files map[string]string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, text := range files {
		b := []byte(text)
		if strings.HasSuffix(name, ".gz") {
			var packed bytes.Buffer
			z, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
			if err != nil {
				return err
			}
			if _, err := z.Write(b); err != nil {
				return err
			}
			if err := z.Close(); err != nil {
				return err
			}
			b = packed.Bytes()
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			return err
		}
	}
	return nil
}

var (
	amiIDs  = regexp.MustCompile(`(?mi)^(\w*(?:uniqueid|linkedid)): (\S+)\r?$`)
	ariIDs  = regexp.MustCompile(`"(?:id|linkedid|CHANNEL\(linkedid\))":"([^"]+)"`)
	members = regexp.MustCompile(`"([0-9]+\.[0-9]+)"`)
)

// sortAMI gives each scenario its messages, behind the banner.
func (w *watch) sortAMI(stream string) map[*playing]string {
	w.mu.Lock()
	defer w.mu.Unlock()
	banner, stream, _ := strings.Cut(stream, "\r\n")
	sorted := map[*playing]string{}
	for message := range strings.SplitSeq(stream, "\r\n\r\n") {
		var ids []string
		for _, m := range amiIDs.FindAllStringSubmatch(message, -1) {
			ids = append(ids, m[2])
		}
		owner := w.mine(ids)
		if owner == nil && strings.Contains(message, "Event: OriginateResponse") {
			owner = w.originator(message)
		}
		if owner == nil {
			continue
		}
		if sorted[owner] == "" {
			sorted[owner] = banner + "\r\n"
		}
		sorted[owner] += strings.TrimLeft(message, "\r\n") + "\r\n\r\n"
	}
	return sorted
}

// sortARI gives each scenario its events.
func (w *watch) sortARI(stream string) map[*playing]string {
	w.mu.Lock()
	defer w.mu.Unlock()
	sorted := map[*playing]string{}
	for line := range strings.Lines(stream) {
		var ids []string
		for _, m := range ariIDs.FindAllStringSubmatch(line, -1) {
			ids = append(ids, m[1])
		}
		for _, m := range members.FindAllStringSubmatch(line, -1) {
			ids = append(ids, m[1])
		}
		if owner := w.mine(ids); owner != nil {
			sorted[owner] += line
		}
	}
	return sorted
}

// mine is the scenario that one of the ids belongs to; the others (a bridge)
// are its own from then on.
func (w *watch) mine(ids []string) *playing {
	// A channel is one scenario's; several may use one bridge (parking).
	slices.SortStableFunc(ids, func(a, b string) int { return strings.Count(b, ".") - strings.Count(a, ".") })
	var owner *playing
	for _, id := range ids {
		if owner = w.owners[id]; owner != nil {
			break
		}
	}
	for _, id := range ids {
		if owner != nil && w.owners[id] == nil {
			w.owners[id] = owner
		}
	}
	return owner
}

// originator is whose call it was that the PBX could not begin: the answer
// names no channel then.
func (w *watch) originator(message string) *playing {
	for _, p := range w.linked {
		for _, c := range p.Calls {
			if c.Originate != "" && strings.Contains(message, "\r\nChannel: "+c.Originate+"\r\n") &&
				strings.Contains(message, "\r\nExten: "+c.Dial+"\r\n") {
				return p
			}
		}
	}
	return nil
}
