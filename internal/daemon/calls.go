package daemon

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/voipd/voipd/ami"
	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/internal/originate"
	"github.com/voipd/voipd/record"
)

// newDesk makes what places calls for the app.
func (d *Daemon) newDesk() *originate.Desk {
	c := d.config.Calls
	opt := originate.Options{PBX: d.link, Channel: c.Channel, Context: c.Context, CallerID: c.CallerID, Timeout: c.RingFor, PerMinute: c.PerMinute,
		Sources: whole(c.Sources), Destinations: whole(c.Destinations), Headers: map[string]string{},
		Busy:    func(ext string) bool { return d.memberState(ext) == busy },
		Offline: func(ext string) bool { return d.memberState(ext) == offline },
		Ordered: func(callID, exten string) {
			d.loop.Put(record.Event{At: time.Now().UTC(), Kind: record.Originated, Source: record.SourceClock, Channel: record.Channel{ID: callID}, Exten: exten})
		},
		Now: time.Now, Log: d.opt.Log}
	if name, value, ok := strings.Cut(c.AutoAnswer, ":"); ok {
		opt.Headers[strings.TrimSpace(name)] = strings.TrimSpace(value)
	}
	return originate.New(opt)
}

// whole compiles patterns that match a text as a whole; the loader has checked
// them.
func whole(patterns []string) []*regexp.Regexp {
	var out []*regexp.Regexp
	for _, p := range patterns {
		if re, err := regexp.Compile("^(?:" + p + ")$"); err == nil {
			out = append(out, re)
		}
	}
	return out
}

// endCall hangs up a call that goes on.
func (d *Daemon) endCall(ctx context.Context, who, callID string) error {
	lives, _ := d.loop.Live()
	for _, l := range lives {
		if l.Record.CallID == callID {
			return d.desk.Hangup(ctx, who, callID, l.Channels)
		}
	}
	return &contract.Refusal{Code: contract.UnknownCall, Why: "No such call goes on."}
}

// soon is how long an order's failure is waited for: a phone that is not
// registered fails at once.
const soon = time.Second

// Originate places a call by AMI.
func (l *amiLink) Originate(ctx context.Context, o originate.Order) error {
	failed := make(chan string, 1)
	l.mu.Lock()
	l.orders[o.ID] = failed
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		delete(l.orders, o.ID)
		l.mu.Unlock()
	}()
	a := ami.Action{Name: "Originate"}.With("ActionID", o.ID).With("Channel", o.Channel).With("Context", o.Context).With("Exten", o.Exten).
		With("Priority", "1").With("CallerID", o.CallerID).With("Timeout", strconv.FormatInt(o.Timeout.Milliseconds(), 10)).
		With("Async", "true").With("ChannelId", o.ID)
	if strings.HasPrefix(o.Channel, "Local/") {
		a = a.With("OtherChannelId", o.ID+"-2")
	}
	for name, value := range o.Headers {
		a = a.With("Variable", "PJSIP_HEADER(add,"+name+")="+value)
	}
	if _, err := l.Do(ctx, a); err != nil {
		return &contract.Refusal{Code: contract.PBXUnreachable, Why: "The PBX did not take the order: " + err.Error()}
	}
	select {
	case reason := <-failed:
		return refusal(reason)
	case <-time.After(soon):
		return nil
	case <-ctx.Done():
		return nil // the PBX has the order
	}
}

// refusal says what OriginateResponse's Reason means; its numbers are those of
// Asterisk's control frames.
func refusal(reason string) error {
	if reason == "5" {
		return &contract.Refusal{Code: contract.OperatorBusy, Why: "The operator's phone is busy."}
	}
	return &contract.Refusal{Code: contract.OperatorUnreachable, Why: "The operator's phone cannot be reached."}
}

// answered looks whether a message is the failure of an order that is waited
// for.
func (l *amiLink) answered(m *ami.Message) {
	if string(m.Event()) != "OriginateResponse" || string(m.Response()) != "Failure" {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if failed := l.orders[string(m.ActionID())]; failed != nil {
		select {
		case failed <- string(m.Get("Reason")):
		default: // told already
		}
	}
}

// Hangup ends a channel by AMI.
func (l *amiLink) Hangup(ctx context.Context, channelID string) error {
	_, err := l.Do(ctx, ami.Action{Name: "Hangup"}.With("Channel", channelID).With("Cause", "16"))
	var refused *ami.ActionError
	if errors.As(err, &refused) && strings.Contains(refused.Message, "No such channel") {
		return nil
	}
	if err != nil {
		return fmt.Errorf("hang up: %w", err)
	}
	return nil
}

// Originate places a call by ARI, into the dialplan.
func (l ariLink) Originate(ctx context.Context, o originate.Order) error {
	variables := map[string]string{}
	for name, value := range o.Headers {
		variables["PJSIP_HEADER(add,"+name+")"] = value
	}
	query := url.Values{"endpoint": {o.Channel}, "extension": {o.Exten}, "context": {o.Context}, "priority": {"1"}, "callerId": {o.CallerID},
		"timeout": {strconv.Itoa(int(o.Timeout.Seconds()))}, "channelId": {o.ID}}
	if err := l.Post(ctx, "/channels", query, map[string]any{"variables": variables}); err != nil {
		return &contract.Refusal{Code: contract.PBXUnreachable, Why: "The PBX did not take the order: " + err.Error()}
	}
	return nil
}

// Hangup ends a channel by ARI.
func (l ariLink) Hangup(ctx context.Context, channelID string) error {
	if err := l.Delete(ctx, "/channels/"+url.PathEscape(channelID)); err != nil {
		return fmt.Errorf("hang up: %w", err)
	}
	return nil
}
