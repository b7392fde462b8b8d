package recording_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/voipd/voipd/internal/recording"
)

// TestRemove: the file and what a script made of it go; nothing outside of the
// folders and nothing behind a symbolic link does.
func TestRemove(t *testing.T) {
	dir := t.TempDir()
	monitor, outside := filepath.Join(dir, "monitor"), write(t, filepath.Join(dir, "outside", "secret.wav"), wav(1, -1))
	whole := write(t, filepath.Join(monitor, "2026", "a.wav"), wav(1, -1))
	bystander := write(t, filepath.Join(monitor, "2026", "b.wav"), wav(1, -1))
	converted := write(t, filepath.Join(monitor, "2026", "a.mp3"), []byte("ID3"))
	for link, to := range map[string]string{filepath.Join(monitor, "link.wav"): outside, filepath.Join(monitor, "folder"): filepath.Dir(outside)} {
		if err := os.Symlink(to, link); err != nil {
			t.Fatal(err)
		}
	}
	l := recording.New([]recording.Directory{{Path: monitor, AsteriskPath: "/pbx"}})
	for name, want := range map[string]error{
		"/pbx/link.wav":              recording.ErrRefused,
		"/pbx/folder/secret.wav":     recording.ErrRefused,
		"/pbx/../outside/secret.wav": recording.ErrRefused,
		outside:                      recording.ErrRefused,
		"/pbx/nowhere.wav":           recording.ErrGone,
		"/pbx/2026":                  recording.ErrRefused,
	} {
		if n, err := l.Remove(name); n != 0 || !errors.Is(err, want) {
			t.Errorf("%s: %d, %v; want %v", name, n, err, want)
		}
	}
	if n, err := l.Remove("/pbx/2026/a.wav"); n != 2 || err != nil {
		t.Errorf("got %d (%v), want both files", n, err)
	}
	for path, left := range map[string]bool{whole: false, converted: false, bystander: true, outside: true} {
		if _, err := os.Stat(path); (err == nil) != left {
			t.Errorf("%s is left: %v, want %v", path, err == nil, left)
		}
	}
}
