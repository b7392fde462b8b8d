package pbx

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/voipd/voipd/ami"
	"github.com/voipd/voipd/internal/contract"
)

// amiLink is the link by AMI.
type amiLink struct {
	*ami.Client
	mu     sync.Mutex
	placed map[string]chan string // calls that were just placed, by id; gets the reason of a failure
}

func (l *amiLink) status() linkStatus {
	s := l.Status()
	return linkStatus{
		LinkHealth: contract.LinkHealth{State: string(s.State), Since: s.Since, Reason: s.Reason, NextTry: s.NextTry, Version: s.Version, Warnings: s.Warnings},
		address:    s.Address, sessions: s.Sessions, malformed: s.Malformed,
	}
}

func (l *amiLink) endpoints(ctx context.Context) ([]Endpoint, error) {
	return ListEndpoints(ctx, l.Client)
}
func (l *amiLink) numbers(ctx context.Context) ([]string, bool, error) {
	return hintsAndMailboxes(ctx, l.Client)
}
func (l *amiLink) states(ctx context.Context) ([]Endpoint, error) { return listStates(ctx, l.Client) }

// failsWithin is how long a failure of a call that was placed is waited for: a
// phone that is not registered fails at once.
const failsWithin = time.Second

// originate returns when the PBX took the order, or when that failed within a
// second.
func (l *amiLink) originate(ctx context.Context, o order) error {
	failed := make(chan string, 1)
	l.mu.Lock()
	l.placed[o.id] = failed
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		delete(l.placed, o.id)
		l.mu.Unlock()
	}()
	a := ami.Action{Name: "Originate"}.With("ActionID", o.id).With("Channel", o.channel).With("Context", o.context).With("Exten", o.exten).
		With("Priority", "1").With("CallerID", o.callerID).With("Timeout", strconv.FormatInt(o.ringFor.Milliseconds(), 10)).
		With("Async", "true").With("ChannelId", o.id)
	if strings.HasPrefix(o.channel, "Local/") {
		a = a.With("OtherChannelId", o.id+"-2")
	}
	for name, value := range o.headers {
		a = a.With("Variable", "PJSIP_HEADER(add,"+name+")="+value)
	}
	if _, err := l.Do(ctx, a); err != nil {
		return notTaken(err)
	}
	select {
	case reason := <-failed:
		return originateRefusal(reason)
	case <-time.After(failsWithin):
		return nil
	case <-ctx.Done():
		return nil // the PBX has the order
	}
}

func notTaken(err error) error {
	return &contract.Refusal{Code: contract.PBXUnreachable, Why: "The PBX did not take the order: " + err.Error()}
}

// originateRefusal says what OriginateResponse's Reason means; its numbers are
// those of Asterisk's control frames.
func originateRefusal(reason string) error {
	if reason == "5" {
		return &contract.Refusal{Code: contract.OperatorBusy, Why: "The operator's phone is busy."}
	}
	return &contract.Refusal{Code: contract.OperatorUnreachable, Why: "The operator's phone cannot be reached."}
}

// originateFailed passes an OriginateResponse on to the originate that waits
// for it.
func (l *amiLink) originateFailed(m *ami.Message) {
	if string(m.Event()) != "OriginateResponse" || string(m.Response()) != "Failure" {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if failed := l.placed[string(m.ActionID())]; failed != nil {
		select {
		case failed <- string(m.Get("Reason")):
		default: // the failure is known already
		}
	}
}

func (l *amiLink) hangup(ctx context.Context, channelID string) error {
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
