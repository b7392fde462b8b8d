//go:build lab

package lab

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// act does the scenario's Acts, each at its time; the channel gives nil, or
// the first error.
func (o *Office) act(ctx context.Context, p *playing) <-chan error {
	done := make(chan error, 1)
	go func() {
		var first error
		for _, a := range p.Acts {
			if err := pause(ctx, time.Until(p.started.Add(a.After))); err != nil {
				first = err
				break
			}
			if err := o.do(ctx, p, strings.Fields(a.Do)); err != nil && first == nil {
				first = fmt.Errorf("%s: %w", a.Do, err)
			}
		}
		done <- first
	}()
	return done
}

func (o *Office) do(ctx context.Context, p *playing, words []string) error {
	action := func(name string, headers ...string) error {
		_, err := o.pbx.Do(ctx, name, headers...)
		return err
	}
	switch words[0] {
	case "pause", "unpause":
		paused := map[string]string{"pause": "true", "unpause": "false"}[words[0]]
		return action("QueuePause", "Queue", words[1], "Interface", "PJSIP/"+words[2], "Paused", paused)
	}
	if words[0] == "record-bridge" {
		return ariPost(ctx, "/bridges/"+words[1]+"/record", url.Values{"name": {words[2]}, "format": {"wav"}})
	}
	channel, err := o.watch.channel(p, words[1])
	if err != nil {
		return err
	}
	switch words[0] {
	case "redirect":
		return action("Redirect", "Channel", channel, "Context", "from-internal", "Exten", words[2], "Priority", "1")
	case "redirect-both": // CHANNEL EXTEN CHANNEL EXTEN
		second, err := o.watch.channel(p, words[3])
		if err != nil {
			return err
		}
		return action("Redirect", "Channel", channel, "Context", "from-internal", "Exten", words[2], "Priority", "1",
			"ExtraChannel", second, "ExtraContext", "from-internal", "ExtraExten", words[4], "ExtraPriority", "1")
	case "bridge":
		second, err := o.watch.channel(p, words[2])
		if err != nil {
			return err
		}
		return action("Bridge", "Channel1", channel, "Channel2", second)
	case "kick":
		return action("ConfbridgeKick", "Conference", words[2], "Channel", channel)
	case "hangup":
		return action("Hangup", "Channel", channel, "Cause", "16")
	case "record":
		return action("MixMonitor", "Channel", channel, "File", monitorDir+"/"+words[2])
	case "mute", "unmute":
		return action("MixMonitorMute", "Channel", channel, "Direction", "both", "State", map[string]string{"mute": "1", "unmute": "0"}[words[0]])
	}
	return fmt.Errorf("no such act")
}

// channel is the name of the scenario's live channel that begins so, the
// oldest where there are several.
func (w *watch) channel(p *playing, begins string) (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var names []string
	for _, c := range w.live {
		if c.owner == p && strings.HasPrefix(c.name, begins) {
			names = append(names, c.name)
		}
	}
	if len(names) == 0 {
		return "", fmt.Errorf("no channel %s", begins)
	}
	return slices.Min(names), nil
}
