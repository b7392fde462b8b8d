//go:build !docs

package main

import "github.com/spf13/cobra"

// documents are the commands that only the making of packages needs: none, but
// with the build tag "docs".
func documents(*cobra.Command) []*cobra.Command { return nil }
