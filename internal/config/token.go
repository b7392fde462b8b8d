package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/BurntSushi/toml"
)

// RevokeToken takes the block of the token of that name out of a
// configuration file and leaves everything else as it stands. The file is
// replaced at once, with its mode and owner.
func RevokeToken(path, name string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("revoke token: %w", err)
	}
	rest, ok := withoutToken(string(text), name)
	if !ok {
		return fmt.Errorf("revoke token: %s has no [[http.tokens]] with the name %q", path, name)
	}
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("revoke token: %w", err)
	}
	draft, err := os.CreateTemp(filepath.Dir(path), ".voipd-*.toml")
	if err != nil {
		return fmt.Errorf("revoke token: %w", err)
	}
	defer os.Remove(draft.Name()) // it is gone when all went well
	err = firstOf(
		func() error { _, err := draft.WriteString(rest); return err },
		func() error { return draft.Chmod(info.Mode().Perm()) },
		func() error { return KeepOwner(draft, info) },
		draft.Sync, draft.Close,
		func() error { return os.Rename(draft.Name(), path) },
	)
	if err != nil {
		return fmt.Errorf("revoke token: %w", err)
	}
	return nil
}

func firstOf(steps ...func() error) error {
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// withoutToken leaves a token's block out: from its [[http.tokens]] to the next
// table. Comments in between go with it.
func withoutToken(text, name string) (rest string, found bool) {
	lines := strings.SplitAfter(text, "\n")
	for i := 0; i < len(lines); i++ {
		if strings.TrimSpace(lines[i]) != "[[http.tokens]]" {
			continue
		}
		end := i + 1
		for end < len(lines) && !strings.HasPrefix(strings.TrimSpace(lines[end]), "[") {
			end++
		}
		var block struct{ Name string }
		if _, err := toml.Decode(strings.Join(lines[i+1:end], ""), &block); err == nil && block.Name == name {
			return strings.Join(append(lines[:i:i], lines[end:]...), ""), true
		}
	}
	return text, false
}
