//go:build docs

package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// documents are the commands that only the making of packages needs.
func documents(root *cobra.Command) []*cobra.Command {
	return []*cobra.Command{{
		Use:    "documents DIR",
		Short:  "Write the man pages and shell completions",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE:   func(_ *cobra.Command, args []string) error { return writeDocuments(root, args[0]) },
	}}
}

// writeDocuments writes dir/man/*.8, and dir/completions for bash, zsh and fish.
// Their date is SOURCE_DATE_EPOCH.
func writeDocuments(root *cobra.Command, dir string) error {
	man, completions := filepath.Join(dir, "man"), filepath.Join(dir, "completions")
	for _, d := range []string{man, completions} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return fmt.Errorf("write documents: %w", err)
		}
	}
	root.DisableAutoGenTag = true
	header := &doc.GenManHeader{Section: "8", Source: "voipd " + number, Manual: "voipd"}
	if err := doc.GenManTree(root, header, man); err != nil {
		return fmt.Errorf("write man pages: %w", err)
	}
	for name, write := range map[string]func(string) error{
		"voipd.bash": func(f string) error { return root.GenBashCompletionFileV2(f, true) },
		"_voipd":     root.GenZshCompletionFile,
		"voipd.fish": func(f string) error { return root.GenFishCompletionFile(f, true) },
	} {
		if err := write(filepath.Join(completions, name)); err != nil {
			return fmt.Errorf("write completions: %w", err)
		}
	}
	return nil
}
