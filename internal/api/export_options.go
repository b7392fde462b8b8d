package api

import (
	"compress/gzip"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// separators of cells, by how a client asks for them.
func separators() map[string]rune { return map[string]rune{",": ',', ";": ';', "tab": '\t'} }

// byteOrderMark tells spreadsheets that a file is UTF-8.
const byteOrderMark = "\uFEFF"

// coding is the first of the encodings that a client accepts and an export has;
// empty: as it is.
func coding(r *http.Request) string {
	for _, want := range []string{"zstd", "gzip"} {
		for _, part := range strings.Split(r.Header.Get("Accept-Encoding"), ",") {
			name, q, _ := strings.Cut(strings.ReplaceAll(part, " ", ""), ";q=")
			weight, err := strconv.ParseFloat(q, 64)
			if strings.EqualFold(name, want) && (q == "" || err == nil && weight > 0) {
				return want
			}
		}
	}
	return ""
}

// packed writes in an encoding. Close ends it, and leaves w open.
func packed(w io.Writer, coding string) (io.WriteCloser, error) {
	switch coding {
	case "zstd":
		return zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20))
	case "gzip":
		return gzip.NewWriterLevel(w, gzip.BestSpeed)
	}
	return plain{w}, nil
}

type plain struct{ io.Writer }

func (plain) Close() error { return nil }
