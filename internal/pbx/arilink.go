package pbx

import (
	"context"
	"fmt"

	cycore "github.com/CyCoreSystems/ari/v6"

	"github.com/voipd/voipd/ari"
	"github.com/voipd/voipd/internal/contract"
)

// ariLink is the link by ARI.
type ariLink struct{ *ari.Client }

func (l ariLink) status() linkStatus {
	s := l.Status()
	return linkStatus{
		LinkHealth: contract.LinkHealth{State: string(s.State), Since: s.Since, Reason: s.Reason, NextTry: s.NextTry, Warnings: s.Warnings},
		address:    s.Address, sessions: s.Sessions, malformed: s.Malformed,
	}
}

// endpoints gives the states alone: ARI says nothing else of an endpoint.
func (l ariLink) endpoints(ctx context.Context) ([]Endpoint, error) { return l.states(ctx) }

// numbers are not told by ARI.
func (l ariLink) numbers(context.Context) ([]string, bool, error) { return nil, false, nil }

func (l ariLink) states(ctx context.Context) ([]Endpoint, error) {
	list, err := l.Client.Endpoints(ctx)
	if err != nil {
		return nil, err
	}
	var all []Endpoint
	for _, e := range list {
		state := e.State
		if len(e.ChannelIDs) > 0 {
			state = "in use"
		}
		all = append(all, Endpoint{Name: e.Technology + "/" + e.Resource, State: state})
	}
	return all, nil
}

// originate sends the call into the dialplan, not into a Stasis application.
func (l ariLink) originate(ctx context.Context, o order) error {
	variables := map[string]string{}
	for name, value := range o.headers {
		variables["PJSIP_HEADER(add,"+name+")"] = value
	}
	err := l.Originate(ctx, cycore.OriginateRequest{Endpoint: o.channel, Context: o.context, Extension: o.exten, Priority: 1,
		CallerID: o.callerID, Timeout: int(o.ringFor.Seconds()), ChannelID: o.id, Variables: variables})
	if err != nil {
		return notTaken(err)
	}
	return nil
}

func (l ariLink) hangup(ctx context.Context, channelID string) error {
	if err := l.Hangup(ctx, channelID); err != nil {
		return fmt.Errorf("hang up: %w", err)
	}
	return nil
}
