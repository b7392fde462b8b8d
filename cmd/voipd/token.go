package main

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/spf13/cobra"
)

func newToken() *cobra.Command {
	c := &cobra.Command{Use: "token", Short: "Tokens that let apps use the API"}
	c.AddCommand(&cobra.Command{
		Use:   "new NAME",
		Short: "Make a token, and the lines of the configuration that let it in",
		Long: `New prints the lines of the configuration on standard output and the token itself
on standard error: "voipd token new crm >> /etc/voipd/config.toml" shows it once
and keeps it nowhere.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			token := rand.Text()
			sum := sha256.Sum256([]byte(token))
			fmt.Fprintf(cmd.ErrOrStderr(), "The token of %s, shown this once: %s\n", args[0], token)
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "\n[[http.tokens]]\nname = %q\nsha256 = %q\n", args[0], hex.EncodeToString(sum[:]))
			return err
		},
	})
	return c
}
