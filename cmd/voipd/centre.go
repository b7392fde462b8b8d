package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/voipd/voipd/internal/api"
	"github.com/voipd/voipd/internal/centre"
	"github.com/voipd/voipd/internal/config"
	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/internal/trace"
)

func newCentre() *cobra.Command {
	var path string
	c := &cobra.Command{
		Use:   "centre",
		Short: "Keep the records of many PBXs in PostgreSQL and serve them",
		Long: `Centre serves one store, one API and one page over the records that the voipds of
many PBXs ship to it. It keeps no state of its own: any number of them may serve one
database. "voipd centre migrate" makes the tables.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return serveCentre(cmd, path) },
	}
	c.PersistentFlags().StringVarP(&path, "config", "c", "/etc/voipd/centre.toml", "configuration file of the centre (TOML)")
	c.AddCommand(centreMigrate(&path), centreTenant(&path), centreEdge(&path), centreToken(&path), centreForget(&path))
	return c
}

func serveCentre(cmd *cobra.Command, path string) error {
	conf, err := config.LoadCentre(path)
	if err != nil {
		return err
	}
	log := newLog(cmd.ErrOrStderr(), conf.Log)
	c, err := centre.Open(cmd.Context(), centre.Options{DSN: conf.Database.DSN.Reveal(), Log: log})
	if err != nil {
		return err
	}
	defer c.Close()
	zone := time.Local
	if conf.HTTP.Zone != "" {
		if zone, err = time.LoadLocation(conf.HTTP.Zone); err != nil {
			return fmt.Errorf("http.zone: %w", err)
		}
	}
	return c.Serve(cmd.Context(), centre.ServeOptions{
		ServerOptions: api.ServerOptions{Listen: conf.HTTP.Listen, CertFile: conf.HTTP.TLSCertFile, KeyFile: conf.HTTP.TLSKeyFile, Log: log},
		Handler:       centre.HandlerOptions{Version: version(), Hosts: conf.HTTP.Hosts, Origins: conf.HTTP.Origins, Zone: zone, Log: log},
		Ready:         func(address string) { log.Info("the centre serves", "version", version(), "address", address) },
	})
}

// ofCentre opens the centre's database as its owner for one command.
func ofCentre(ctx context.Context, path string, f func(*centre.Centre) error) error {
	conf, err := config.LoadCentre(path)
	if err != nil {
		return err
	}
	c, err := centre.Open(ctx, centre.Options{DSN: conf.Database.OwnerDSN.Reveal()})
	if err != nil {
		return err
	}
	defer c.Close()
	return f(c)
}

func centreMigrate(path *string) *cobra.Command {
	return &cobra.Command{
		Use:   "migrate",
		Short: "Make the tables, or bring them to this version",
		Long: `Migrate makes the schema voipd in the database, or brings it to this version; done
again, it does nothing. The user of owner_dsn becomes the owner. The first time it
needs the right to make roles, unless there is a role ` + centre.Role + `.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			conf, err := config.LoadCentre(*path)
			if err != nil {
				return err
			}
			if err := centre.Migrate(cmd.Context(), conf.Database.OwnerDSN.Reveal()); err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), "The tables are of this version")
			return err
		},
	}
}

// one is a command with a name, or a few, that does one thing and says so.
func one(path *string, use, short, long string, args int, do func(cmd *cobra.Command, c *centre.Centre, args []string) error) *cobra.Command {
	return &cobra.Command{Use: use, Short: short, Long: long, Args: cobra.ExactArgs(args),
		RunE: func(cmd *cobra.Command, args []string) error {
			return ofCentre(cmd.Context(), *path, func(c *centre.Centre) error { return do(cmd, c, args) })
		}}
}

func centreTenant(path *string) *cobra.Command {
	t := &cobra.Command{Use: "tenant", Short: "Companies whose records nobody else sees"}
	t.AddCommand(
		one(path, "add TENANT", "Make a tenant", "", 1, func(cmd *cobra.Command, c *centre.Centre, args []string) error {
			if err := c.AddTenant(cmd.Context(), args[0]); err != nil {
				return err
			}
			return say(cmd, "The tenant %s is made", args[0])
		}),
		one(path, "list", "The tenants, and how many PBXs each has", "", 0, func(cmd *cobra.Command, c *centre.Centre, _ []string) error {
			all, err := c.Tenants(cmd.Context())
			if err != nil {
				return err
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "TENANT\tPBXS\tSINCE")
			for _, t := range all {
				fmt.Fprintf(w, "%s\t%d\t%s\n", t.Name, t.PBXs, t.Created.UTC().Format(time.DateOnly))
			}
			return w.Flush()
		}),
		one(path, "revoke TENANT", "Take a tenant all its tokens and codes; its records stay", "", 1, func(cmd *cobra.Command, c *centre.Centre, args []string) error {
			if err := c.RevokeTenant(cmd.Context(), args[0]); err != nil {
				return err
			}
			return say(cmd, "Nobody is let in any more for %s", args[0])
		}))
	return t
}

func centreEdge(path *string) *cobra.Command {
	e := &cobra.Command{Use: "edge", Short: "PBXs of a tenant, whose voipds ship their records"}
	e.AddCommand(
		one(path, "add TENANT PBX", "Make a PBX, and a code that makes one machine its edge", `Add prints a code for "voipd join" on the machine of the PBX. It works once, within a
day. For a PBX that there is already, the code makes a new token; the one that its
edge has goes on for a day after the code was used, so that nothing is lost.`, 2, func(cmd *cobra.Command, c *centre.Centre, args []string) error {
			code, err := c.AddEdge(cmd.Context(), args[0], args[1])
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "On the machine of %s, once, within a day: voipd join ADDRESS CODE, with this code:\n", trace.Inert(args[1]))
			_, err = fmt.Fprintln(cmd.OutOrStdout(), code)
			return err
		}),
		one(path, "list TENANT", "The PBXs of a tenant, and how far their records are here", "", 1, func(cmd *cobra.Command, c *centre.Centre, args []string) error {
			all, err := c.PBXs(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "PBX\tSTATE\tWAITING\tLAST SEEN\tVERSION")
			for _, p := range all {
				seen := "never"
				if !p.LastSeen.IsZero() {
					seen = p.LastSeen.Format(time.RFC3339)
				}
				fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\n", p.Name, p.State, p.Waiting, seen, trace.Inert(p.Version))
			}
			return w.Flush()
		}),
		one(path, "revoke TENANT PBX", "Take the edge of a PBX its tokens and codes; its records stay", "", 2, func(cmd *cobra.Command, c *centre.Centre, args []string) error {
			if err := c.RevokeEdge(cmd.Context(), args[0], args[1]); err != nil {
				return err
			}
			return say(cmd, "The edge of %s is not let in any more", args[1])
		}))
	return e
}

func centreToken(path *string) *cobra.Command {
	var scopes []string
	add := one(path, "add TENANT NAME", "Make a token of an app", `Add prints the token, which is kept nowhere. Scopes: `+strings.Join(contract.Scopes(), ", ")+`; none is all.`, 2,
		func(cmd *cobra.Command, c *centre.Centre, args []string) error {
			for _, s := range scopes {
				if !slices.Contains(contract.Scopes(), s) {
					return fmt.Errorf("--scope %s: want one of %s", s, strings.Join(contract.Scopes(), ", "))
				}
				if s == contract.ScopeMasked {
					return fmt.Errorf("--scope %s: a centre finds records by whole numbers, so it has no tokens with this scope", s)
				}
			}
			token, err := c.AddToken(cmd.Context(), args[0], args[1], scopes)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "The token of %s, shown this once:\n", trace.Inert(args[1]))
			_, err = fmt.Fprintln(cmd.OutOrStdout(), token)
			return err
		})
	add.Flags().StringSliceVar(&scopes, "scope", nil, "what the token may do (again for more)")
	t := &cobra.Command{Use: "token", Short: "Tokens that let apps, and the edges of PBXs, in"}
	t.AddCommand(add,
		one(path, "list TENANT", "The tokens of a tenant and what they may do", "", 1, func(cmd *cobra.Command, c *centre.Centre, args []string) error {
			all, err := c.Tokens(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "NAME\tMAY\tSINCE\tUNTIL")
			for _, t := range all {
				until := ""
				if !t.Ends.IsZero() {
					until = t.Ends.UTC().Format(time.RFC3339)
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", trace.Inert(t.Name), may(&t), t.Created.UTC().Format(time.DateOnly), until)
			}
			return w.Flush()
		}),
		one(path, "revoke TENANT NAME", "End a token at once", "", 2, func(cmd *cobra.Command, c *centre.Centre, args []string) error {
			if err := c.RevokeToken(cmd.Context(), args[0], args[1]); err != nil {
				return err
			}
			return say(cmd, "The token %s is not let in any more", args[1])
		}))
	return t
}

func may(t *centre.Token) string {
	switch {
	case t.PBX != "":
		return "ship the records of " + t.PBX
	case len(t.Scopes) == 0:
		return "everything"
	}
	return strings.Join(t.Scopes, ", ")
}

func centreForget(path *string) *cobra.Command {
	return one(path, "forget TENANT NUMBER", "Erase the calls of a number for ever", `Forget erases every call of the tenant that the number has a part in. No batch brings
them back. What the PBXs' own voipds have is forgotten there: voipd forget.`, 2, func(cmd *cobra.Command, c *centre.Centre, args []string) error {
		n, err := c.Forget(cmd.Context(), args[0], args[1])
		if err != nil {
			return err
		}
		return say(cmd, "%d calls are forgotten", n)
	})
}

// say prints what was done.
func say(cmd *cobra.Command, format string, args ...any) error {
	for i, a := range args {
		if text, ok := a.(string); ok {
			args[i] = trace.Inert(text)
		}
	}
	_, err := fmt.Fprintf(cmd.OutOrStdout(), format+"\n", args...)
	return err
}
