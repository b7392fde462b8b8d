package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/voipd/voipd/internal/config"
	"github.com/voipd/voipd/internal/daemon"
	"github.com/voipd/voipd/internal/trace"
	"github.com/voipd/voipd/internal/webhook"
	"github.com/voipd/voipd/store"
)

func newWebhooks() *cobra.Command {
	c := &cobra.Command{Use: "webhooks", Short: "What became of events on their way to webhooks"}
	c.AddCommand(newWebhooksList(), newWebhooksShow(), newWebhooksRetry(), newWebhooksTest(), &cobra.Command{
		Use:   "secret",
		Short: "Make a secret for signing events",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), webhook.NewSecret())
			return err
		},
	})
	return c
}

func newWebhooksList() *cobra.Command {
	var path string
	var waiting, all bool
	var limit int
	c := &cobra.Command{
		Use:   "list",
		Short: "List parked deliveries, the latest first",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			state := store.Parked
			switch {
			case all:
				state = ""
			case waiting:
				state = store.DeliveryWaiting
			}
			return readStore(cmd.Context(), path, func(db *store.DB) error {
				list, err := db.Deliveries(cmd.Context(), state, 0, limit)
				if err != nil {
					return err
				}
				return listDeliveries(cmd.OutOrStdout(), list)
			})
		},
	}
	configFlag(c, &path, "/etc/voipd/config.toml")
	c.Flags().BoolVar(&waiting, "waiting", false, "those that wait instead")
	c.Flags().BoolVar(&all, "all", false, "every one instead, delivered and expired ones too")
	c.Flags().IntVar(&limit, "limit", 100, "how many at the most")
	return c
}

func listDeliveries(out io.Writer, list []store.Delivery) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tWEBHOOK\tEVENT\tCALL\tWRITTEN\tSTATE\tTRIES\tSTATUS\tANSWER")
	for _, d := range list {
		answer, _, _ := strings.Cut(strings.TrimSpace(d.Answer), "\n")
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\t%d\t%d\t%s\n", d.Change.Seq, trace.Inert(d.Endpoint), d.Change.Kind, trace.Inert(d.Change.CallID),
			d.Written.Local().Format(time.DateTime), d.State, d.Attempts, d.Status, trace.Inert(answer))
	}
	return w.Flush()
}

func newWebhooksShow() *cobra.Command {
	var path string
	c := &cobra.Command{
		Use:   "show ID",
		Short: "Show an event, to whom it went and what they answered",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			seq, err := deliveryID(args[0])
			if err != nil {
				return err
			}
			return readStore(cmd.Context(), path, func(db *store.DB) error {
				list, err := db.Deliveries(cmd.Context(), "", seq, 100)
				if err != nil {
					return err
				}
				return showDeliveries(cmd.OutOrStdout(), seq, list)
			})
		},
	}
	configFlag(c, &path, "/etc/voipd/config.toml")
	return c
}

func showDeliveries(out io.Writer, seq int64, list []store.Delivery) error {
	if len(list) == 0 {
		return fmt.Errorf("no webhook has an event %d: it is too old, or went to none (voipd webhooks list --all)", seq)
	}
	fmt.Fprintf(out, "%s of %s at %s\n%s\n", list[0].Change.Kind, trace.Inert(list[0].Change.CallID), list[0].Change.At.Local().Format(time.DateTime), list[0].Change.Body)
	for _, d := range list {
		fmt.Fprintf(out, "\n%s: %s after %d tries", trace.Inert(d.Endpoint), d.State, d.Attempts)
		if d.State == store.DeliveryWaiting {
			fmt.Fprintf(out, ", next at %s", d.Next.Local().Format(time.DateTime))
		}
		fmt.Fprintf(out, "\nstatus %d\n", d.Status)
		for line := range strings.Lines(d.Answer) {
			fmt.Fprintln(out, "  "+trace.Inert(strings.TrimRight(line, "\r\n")))
		}
	}
	return nil
}

func newWebhooksRetry() *cobra.Command {
	var path string
	var all bool
	c := &cobra.Command{
		Use:   "retry ID | --all",
		Short: "Send parked deliveries again",
		Long: `Retry makes parked deliveries wait again; a running voipd sends them within
seconds. Each keeps its id. Later events of its call may have been delivered
already.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if all == (len(args) == 1) {
				return &usageError{fmt.Errorf("give an ID, or --all")}
			}
			seq := int64(0)
			if !all {
				var err error
				if seq, err = deliveryID(args[0]); err != nil {
					return err
				}
			}
			return writeStore(cmd.Context(), path, "voipd webhooks", func(db *store.DB) error {
				n, err := db.Retry(cmd.Context(), seq, time.Now())
				if err != nil {
					return err
				}
				if n == 0 && !all {
					return fmt.Errorf("event %d is not parked (voipd webhooks show %d)", seq, seq)
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "%d deliveries will be sent again\n", n)
				return err
			})
		},
	}
	configFlag(c, &path, "/etc/voipd/config.toml")
	c.Flags().BoolVar(&all, "all", false, "every parked one")
	return c
}

func newWebhooksTest() *cobra.Command {
	var path string
	c := &cobra.Command{
		Use:   "test NAME",
		Short: "Send a webhook a test event now, and show its answer",
		Long: `Test sends one event of the type webhook.test, signed as every other, to a webhook of
the configuration or one that was added by the API, whether voipd runs or not, and
shows the answer. The status is 0 where that is 2xx.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			conf, err := config.ReadWebhooks(path)
			if err != nil {
				return err
			}
			endpoints, err := daemon.Endpoints(conf)
			if err != nil {
				return err
			}
			// Where voipd has never run there is no database, and nothing was added.
			if _, err := os.Stat(conf.Store.Path); err == nil {
				err := readStore(cmd.Context(), path, func(db *store.DB) error {
					added, err := webhook.Added(cmd.Context(), db)
					endpoints = append(endpoints, added...)
					return err
				})
				if err != nil {
					return err
				}
			}
			for _, e := range endpoints {
				if e.Name == args[0] {
					return testWebhook(cmd, e)
				}
			}
			return fmt.Errorf("there is no webhook %q, in %s or by the API", args[0], path)
		},
	}
	configFlag(c, &path, "/etc/voipd/config.toml")
	return c
}

func testWebhook(cmd *cobra.Command, e webhook.Endpoint) error {
	got, err := webhook.Test(cmd.Context(), e, "voipd", nil)
	if err != nil {
		return err
	}
	answer := trace.Inert(strings.TrimSpace(got.Answer))
	switch {
	case got.Status == 0:
		return fmt.Errorf("%s gave no answer: %s (see its url, and that it can be reached from here)", trace.Inert(e.Name), answer)
	case !got.Delivered:
		return fmt.Errorf("%s answered %d after %d ms: %s", trace.Inert(e.Name), got.Status, got.TookMS, answer)
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s took %s: %d after %d ms\n%s", trace.Inert(e.Name), got.ID, got.Status, got.TookMS, line(answer))
	return err
}

// line is a text as a line of its own; nothing where it is empty.
func line(text string) string {
	if text == "" {
		return ""
	}
	return text + "\n"
}

func deliveryID(s string) (int64, error) {
	seq, err := strconv.ParseInt(s, 10, 64)
	if err != nil || seq <= 0 {
		return 0, &usageError{fmt.Errorf("%q is not the ID of an event (voipd webhooks list)", s)}
	}
	return seq, nil
}
