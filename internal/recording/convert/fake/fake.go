// Package fake makes converters for tests that need one to do what no real one
// does: never end, fail, or say what it was called with.
package fake

import (
	"os"
	"path/filepath"
	"testing"
)

// FFmpeg writes a program into a new folder that says it can do all that ffmpeg
// can, and when it is to convert runs body, in the shell: $out is the file to
// write, $dir the program's folder. In that, each conversion adds a line to the
// file "runs", its arguments.
func FFmpeg(t *testing.T, body string) (path string) {
	t.Helper()
	dir := t.TempDir()
	path = filepath.Join(dir, "ffmpeg")
	const head = `#!/bin/sh
case "$*" in *-encoders*) echo pcm_s16le libmp3lame libopus; exit ;; esac
dir=${0%/*}
echo "$@" >>"$dir/runs"
for out; do :; done
out=${out#file:}
`
	if err := os.WriteFile(path, []byte(head+body+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// Copy is a body that makes the file "result" of the program's folder of
// everything.
const Copy = `cat "$dir/result" >"$out"`

// Result puts the result of Copy beside the program.
func Result(t *testing.T, program string, data []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(filepath.Dir(program), "result"), data, 0o600); err != nil {
		t.Fatal(err)
	}
}
