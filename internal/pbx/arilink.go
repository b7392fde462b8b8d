package pbx

import (
	"context"
	"fmt"
	"net/url"
	"strconv"

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

func (l ariLink) states(ctx context.Context) ([]Endpoint, error) {
	list, err := l.Client.Endpoints(ctx)
	if err != nil {
		return nil, err
	}
	var all []Endpoint
	for _, e := range list {
		state := e.State
		if len(e.Channels) > 0 {
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
	query := url.Values{"endpoint": {o.channel}, "extension": {o.exten}, "context": {o.context}, "priority": {"1"}, "callerId": {o.callerID},
		"timeout": {strconv.Itoa(int(o.ringFor.Seconds()))}, "channelId": {o.id}}
	if err := l.Post(ctx, "/channels", query, map[string]any{"variables": variables}); err != nil {
		return notTaken(err)
	}
	return nil
}

func (l ariLink) hangup(ctx context.Context, channelID string) error {
	if err := l.Delete(ctx, "/channels/"+url.PathEscape(channelID)); err != nil {
		return fmt.Errorf("hang up: %w", err)
	}
	return nil
}
