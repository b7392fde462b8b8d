package main

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/voipd/voipd/internal/api"
	"github.com/voipd/voipd/internal/config"
	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/internal/daemon"
	"github.com/voipd/voipd/internal/trace"
	"github.com/voipd/voipd/store"
)

func newToken() *cobra.Command {
	c := &cobra.Command{Use: "token", Short: "Tokens that let apps use the API"}
	c.AddCommand(tokenNew(), tokenLink(), tokenList(), tokenRevoke(), tokenRevokeLinks())
	return c
}

func tokenNew() *cobra.Command {
	var scopes []string
	var links string
	c := &cobra.Command{
		Use:   "new NAME",
		Short: "Make a token, and the lines of the configuration that let it in",
		Long: `New prints the lines of the configuration on standard output and the token itself
on standard error: "voipd token new crm >> /etc/voipd/config.toml" shows it once
and keeps it nowhere. Scopes: ` + strings.Join(contract.NamedScopes(), ", ") + `; none is all but
numbers:masked, which masks the numbers of people outside and stands beside others.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, s := range scopes {
				if !slices.Contains(contract.NamedScopes(), s) {
					return fmt.Errorf("--scope %s: want one of %s", s, strings.Join(contract.NamedScopes(), ", "))
				}
			}
			if _, err := (&config.Token{LinkTTL: links}).Links(); err != nil {
				return fmt.Errorf("--link-ttl: %w", err)
			}
			token := rand.Text()
			sum := sha256.Sum256([]byte(token))
			fmt.Fprintf(cmd.ErrOrStderr(), "The token of %s, shown this once: %s\n", args[0], token)
			lines := fmt.Sprintf("\n[[http.tokens]]\nname = %q\nsha256 = %q\n", args[0], hex.EncodeToString(sum[:]))
			if len(scopes) > 0 {
				lines += fmt.Sprintf("scopes = [%s]\n", quoted(scopes))
			}
			if links != "" {
				lines += fmt.Sprintf("link_ttl = %q\n", links)
			}
			_, err := fmt.Fprint(cmd.OutOrStdout(), lines)
			return err
		},
	}
	c.Flags().StringSliceVar(&scopes, "scope", nil, "what the token may do (again for more)")
	c.Flags().StringVar(&links, "link-ttl", "", `how long links to recordings work that it asks for: a duration, or "never"; else recordings.link_ttl`)
	return c
}

func tokenLink() *cobra.Command {
	var path string
	c := &cobra.Command{
		Use:   "link NAME",
		Short: "Make a link that signs the page in once, in place of a token",
		Long: fmt.Sprintf(`Link prints an address that opens voipd's page, signed in as the token NAME, for
somebody who has no token at hand. It works once, within %d minutes, and not after
a restart of voipd, which has to run. Whoever has it can do what the token can.`, int(api.LinkFor.Minutes())),
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			conf, err := config.Read(path)
			if err != nil {
				return err
			}
			return writeStore(cmd.Context(), path, "voipd token link", func(db *store.DB) error {
				key, err := db.Secret(cmd.Context(), daemon.SignInSecret)
				if err != nil {
					return err
				}
				link := daemon.SignInLink(conf, daemon.Base(conf), args[0], key, time.Now())
				if link == "" {
					return fmt.Errorf("%s has no token %q; \"voipd token list\" shows those that it has", path, args[0])
				}
				fmt.Fprintf(cmd.ErrOrStderr(), "It signs in as %s, once, within %d minutes:\n", trace.Inert(args[0]), int(api.LinkFor.Minutes()))
				_, err = fmt.Fprintln(cmd.OutOrStdout(), link)
				return err
			})
		},
	}
	configFlag(c, &path, "/etc/voipd/config.toml")
	return c
}

func quoted(list []string) string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = strconv.Quote(s)
	}
	return strings.Join(out, ", ")
}

func tokenList() *cobra.Command {
	var path string
	c := &cobra.Command{
		Use:   "list",
		Short: "The tokens of the configuration and what they may do",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			conf, err := config.Read(path)
			if err != nil {
				return err
			}
			t := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			fmt.Fprintln(t, "NAME\tSCOPES")
			for _, token := range conf.HTTP.Tokens {
				fmt.Fprintf(t, "%s\t%s\n", trace.Inert(token.Name), cmp.Or(strings.Join(token.Scopes, " "), "all"))
			}
			return t.Flush()
		},
	}
	configFlag(c, &path, "/etc/voipd/config.toml")
	return c
}

func tokenRevoke() *cobra.Command {
	var path string
	c := &cobra.Command{
		Use:   "revoke NAME",
		Short: "Take a token out of the configuration",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := config.RevokeToken(path, args[0]); err != nil {
				return err
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s has no token %s any more. It works until voipd is restarted: systemctl restart voipd\n", path, args[0])
			return err
		},
	}
	configFlag(c, &path, "/etc/voipd/config.toml")
	return c
}

func tokenRevokeLinks() *cobra.Command {
	var path string
	c := &cobra.Command{
		Use:   "revoke-links NAME",
		Short: "Make the links to recordings void that a token has",
		Long: `Revoke-links makes void at once, also while voipd runs, the links to recordings that a
token with a link_ttl of its own has asked for. The token goes on working, and gets
links of a new key. A token that is changed or taken out loses its links as well.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			conf, err := config.Read(path)
			if err != nil {
				return err
			}
			i := slices.IndexFunc(conf.HTTP.Tokens, func(t config.Token) bool { return t.Name == args[0] })
			switch {
			case i < 0:
				return fmt.Errorf("%s has no [[http.tokens]] with the name %q", path, args[0])
			case conf.HTTP.Tokens[i].LinkTTL == "":
				return fmt.Errorf("the token %q has no link_ttl: its links work for recordings.link_ttl, %s, and are not its own", args[0], conf.Recordings.LinkTTL)
			}
			return writeStore(cmd.Context(), path, "voipd token", func(db *store.DB) error {
				if err := db.RenewLinkKey(cmd.Context(), args[0]); err != nil {
					return err
				}
				_, err := fmt.Fprintf(cmd.OutOrStdout(), "The links of %s are void\n", trace.Inert(args[0]))
				return err
			})
		},
	}
	configFlag(c, &path, "/etc/voipd/config.toml")
	return c
}
