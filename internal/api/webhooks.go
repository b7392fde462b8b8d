package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/store"
)

// Webhooks is what the API asks and does of webhooks: a webhook.Worker. An error that
// is a [contract.Refusal] is the client's.
type Webhooks interface {
	List(context.Context) ([]contract.Webhook, error)
	Show(ctx context.Context, name string) (contract.Webhook, error)
	Add(context.Context, contract.NewWebhook) (secret string, err error)
	Remove(ctx context.Context, name string) error
	Pause(ctx context.Context, name string) error
	Resume(ctx context.Context, name string) error
	Rotate(ctx context.Context, name string, both time.Duration) (secret string, until time.Time, err error)
	Test(ctx context.Context, name string) (contract.WebhookTest, error)
	Deliveries(context.Context, store.DeliveriesOf, int) ([]store.Delivery, error)
	Retry(context.Context, store.DeliveriesOf) (int64, error)
}

const webhooksPath = "/v1/webhooks"

func (s *server) webhookRoutes(api huma.API) {
	const one = webhooksPath + "/{name}"
	huma.Register(api, huma.Operation{OperationID: "list-webhooks", Method: http.MethodGet, Path: webhooksPath,
		Summary: "Webhooks, and how each does"}, s.listWebhooks)
	huma.Register(api, huma.Operation{OperationID: "add-webhook", Method: http.MethodPost, Path: webhooksPath,
		Summary: "Add a webhook, which gets events from now on. The answer alone has its secret", DefaultStatus: http.StatusCreated, MaxBodyBytes: bodyLimit}, s.addWebhook)
	huma.Register(api, huma.Operation{OperationID: "show-webhook", Method: http.MethodGet, Path: one,
		Summary: "One webhook, and how it does"}, s.showWebhook)
	huma.Register(api, huma.Operation{OperationID: "remove-webhook", Method: http.MethodDelete, Path: one,
		Summary: "Remove a webhook that was added by the API; events that it has not taken are given up", DefaultStatus: http.StatusNoContent}, s.removeWebhook)
	huma.Register(api, huma.Operation{OperationID: "pause-webhook", Method: http.MethodPost, Path: one + "/pause",
		Summary: "Hold events for a webhook back until it is resumed, also across a restart"}, s.pauseWebhook)
	huma.Register(api, huma.Operation{OperationID: "resume-webhook", Method: http.MethodPost, Path: one + "/resume",
		Summary: "Send a paused webhook its events again"}, s.resumeWebhook)
	huma.Register(api, huma.Operation{OperationID: "test-webhook", Method: http.MethodPost, Path: one + "/test",
		Summary: "Send a webhook an event webhook.test now, once, and give its answer"}, s.testWebhook)
	huma.Register(api, huma.Operation{OperationID: "rotate-webhook-secret", Method: http.MethodPost, Path: one + "/rotate-secret",
		Summary: "Give a webhook that was added by the API a new secret. For a time the one before signs as well", MaxBodyBytes: bodyLimit}, s.rotateSecret)
	huma.Register(api, huma.Operation{OperationID: "list-deliveries", Method: http.MethodGet, Path: one + "/deliveries",
		Summary: "Events that went to a webhook or are to, the latest first"}, s.listDeliveries)
	huma.Register(api, huma.Operation{OperationID: "show-delivery", Method: http.MethodGet, Path: one + "/deliveries/{seq}",
		Summary: "One event on its way to a webhook, with its attempts, the last answer and what it says"}, s.showDelivery)
	huma.Register(api, huma.Operation{OperationID: "retry-deliveries", Method: http.MethodPost, Path: one + "/retry",
		Summary: "Send all parked events of a webhook again, or those since a time", MaxBodyBytes: bodyLimit}, s.retryDeliveries)
	huma.Register(api, huma.Operation{OperationID: "retry-delivery", Method: http.MethodPost, Path: one + "/deliveries/{seq}/retry",
		Summary: "Send one parked event of a webhook again"}, s.retryDelivery)
}

// WebhookName is the webhook that a request is about.
type WebhookName struct {
	Name string `path:"name" maxLength:"256" example:"crm"`
}

type webhooksOutput struct {
	Body struct {
		Webhooks []contract.Webhook `json:"webhooks" nullable:"false"`
	}
}

func (s *server) listWebhooks(ctx context.Context, _ *struct{}) (*webhooksOutput, error) {
	list, err := s.opt.Webhooks.List(ctx)
	out := &webhooksOutput{}
	out.Body.Webhooks = list
	return out, s.noWebhook(ctx, err)
}

type webhookOutput struct{ Body contract.Webhook }

func (s *server) showWebhook(ctx context.Context, in *WebhookName) (*webhookOutput, error) {
	w, err := s.opt.Webhooks.Show(ctx, in.Name)
	return &webhookOutput{w}, s.noWebhook(ctx, err)
}

type addWebhookInput struct{ Body contract.NewWebhook }

type addWebhookOutput struct {
	Body struct {
		Secret  string           `json:"secret" doc:"Signs its events, by Standard Webhooks. It is not shown again"`
		Webhook contract.Webhook `json:"webhook"`
	}
}

func (s *server) addWebhook(ctx context.Context, in *addWebhookInput) (*addWebhookOutput, error) {
	if masked(ctx) {
		return nil, numbersMasked("A webhook is told numbers in whole; it is for another token to add.")
	}
	out := &addWebhookOutput{}
	var err error
	if out.Body.Secret, err = s.opt.Webhooks.Add(ctx, in.Body); err == nil {
		out.Body.Webhook, err = s.opt.Webhooks.Show(ctx, in.Body.Name)
	}
	return out, s.noWebhook(ctx, err)
}

func (s *server) removeWebhook(ctx context.Context, in *WebhookName) (*struct{}, error) {
	return nil, s.noWebhook(ctx, s.opt.Webhooks.Remove(ctx, in.Name))
}

func (s *server) pauseWebhook(ctx context.Context, in *WebhookName) (*webhookOutput, error) {
	if err := s.opt.Webhooks.Pause(ctx, in.Name); err != nil {
		return nil, s.noWebhook(ctx, err)
	}
	return s.showWebhook(ctx, in)
}

func (s *server) resumeWebhook(ctx context.Context, in *WebhookName) (*webhookOutput, error) {
	if err := s.opt.Webhooks.Resume(ctx, in.Name); err != nil {
		return nil, s.noWebhook(ctx, err)
	}
	return s.showWebhook(ctx, in)
}

type testWebhookOutput struct{ Body contract.WebhookTest }

func (s *server) testWebhook(ctx context.Context, in *WebhookName) (*testWebhookOutput, error) {
	t, err := s.opt.Webhooks.Test(ctx, in.Name)
	return &testWebhookOutput{t}, s.noWebhook(ctx, err)
}

type rotateInput struct {
	WebhookName
	Body *struct {
		OverlapSeconds int `json:"overlapSeconds,omitempty" minimum:"0" maximum:"2592000" default:"86400" doc:"For how long the secret before signs as well"`
	}
}

type rotateOutput struct {
	Body struct {
		Secret         string    `json:"secret" doc:"The new one. It is not shown again"`
		OldSecretUntil time.Time `json:"oldSecretUntil"`
	}
}

// overlap is for how long the secret before signs where nobody says.
const overlap = 24 * time.Hour

func (s *server) rotateSecret(ctx context.Context, in *rotateInput) (*rotateOutput, error) {
	out := &rotateOutput{}
	both := overlap
	if in.Body != nil {
		both = time.Duration(in.Body.OverlapSeconds) * time.Second
	}
	var err error
	out.Body.Secret, out.Body.OldSecretUntil, err = s.opt.Webhooks.Rotate(ctx, in.Name, both)
	return out, s.noWebhook(ctx, err)
}

type deliveriesInput struct {
	WebhookName
	State  string `query:"state" enum:"waiting,delivered,expired,parked" doc:"Only those in this state"`
	Before int64  `query:"before" minimum:"1" doc:"Only those of events before this one: next of the page before"`
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}

type deliveriesOutput struct {
	Body struct {
		Deliveries []contract.Delivery `json:"deliveries" nullable:"false"`
		Next       int64               `json:"next,omitempty" doc:"For before, where there are more"`
	}
}

func (s *server) listDeliveries(ctx context.Context, in *deliveriesInput) (*deliveriesOutput, error) {
	list, err := s.opt.Webhooks.Deliveries(ctx, store.DeliveriesOf{Endpoint: in.Name, State: store.DeliveryState(in.State), Before: in.Before}, in.Limit+1)
	if err != nil {
		return nil, s.noWebhook(ctx, err)
	}
	instance, err := s.opt.Changes.Instance(ctx)
	if err != nil {
		return nil, s.internal(ctx, "read the changes", err)
	}
	out := &deliveriesOutput{}
	out.Body.Deliveries = []contract.Delivery{}
	for i := range list[:min(len(list), in.Limit)] {
		out.Body.Deliveries = append(out.Body.Deliveries, delivery(&list[i], instance))
	}
	if len(list) > in.Limit {
		out.Body.Next = list[in.Limit-1].Change.Seq
	}
	return out, nil
}

func delivery(d *store.Delivery, instance string) contract.Delivery {
	out := contract.Delivery{ID: contract.EventID(instance, d.Change.Seq), Seq: d.Change.Seq, Type: d.Change.Kind, CallID: d.Change.CallID, State: string(d.State),
		Attempts: d.Attempts, Status: d.Status, Answer: d.Answer, WrittenAt: d.Written, ExpiresAt: d.Expires}
	if d.State == store.DeliveryWaiting {
		out.NextAt = d.Next
	}
	return out
}

type deliveryInput struct {
	WebhookName
	Seq int64 `path:"seq" minimum:"1" doc:"Of the event"`
}

type deliveryOutput struct {
	Body struct {
		contract.Delivery
		Event json.RawMessage `json:"event" doc:"The event as the template plain gives it"`
	}
}

func (s *server) showDelivery(ctx context.Context, in *deliveryInput) (*deliveryOutput, error) {
	list, err := s.opt.Webhooks.Deliveries(ctx, store.DeliveriesOf{Endpoint: in.Name, Seq: in.Seq}, 1)
	if err != nil {
		return nil, s.noWebhook(ctx, err)
	}
	if len(list) == 0 {
		return nil, noDelivery()
	}
	instance, err := s.opt.Changes.Instance(ctx)
	if err != nil {
		return nil, s.internal(ctx, "read the changes", err)
	}
	d, out := &list[0], &deliveryOutput{}
	out.Body.Delivery = delivery(d, instance)
	out.Body.Event = contract.Envelope(instance, d.Change.Seq, d.Change.Kind, d.Change.At, d.Change.Body)
	return out, nil
}

func noDelivery() error {
	return problem(http.StatusNotFound, contract.UnknownDelivery, "No such delivery", "That event did not go to that webhook, or is too old.")
}

type retryInput struct {
	WebhookName
	Body *struct {
		Since string `json:"since,omitempty" maxLength:"64" doc:"Only those that came into the outbox then or later; written as from of GET /v1/records" example:"2026-11-26T03:00:00Z"`
	}
}

type retryOutput struct {
	Body struct {
		Retried int64 `json:"retried" doc:"How many are sent again"`
	}
}

func (s *server) retryDeliveries(ctx context.Context, in *retryInput) (*retryOutput, error) {
	q := store.DeliveriesOf{Endpoint: in.Name}
	if in.Body != nil && in.Body.Since != "" {
		var err error
		if q.Since, err = readMoment(in.Body.Since, s.opt.Now(), s.opt.Zone); err != nil {
			return nil, problem(http.StatusUnprocessableEntity, "bad-request", "Unprocessable Entity", "body.since: "+err.Error()+".")
		}
	}
	out := &retryOutput{}
	var err error
	out.Body.Retried, err = s.opt.Webhooks.Retry(ctx, q)
	return out, s.noWebhook(ctx, err)
}

func (s *server) retryDelivery(ctx context.Context, in *deliveryInput) (*retryOutput, error) {
	q := store.DeliveriesOf{Endpoint: in.Name, Seq: in.Seq}
	n, err := s.opt.Webhooks.Retry(ctx, q)
	if err != nil {
		return nil, s.noWebhook(ctx, err)
	}
	if n == 0 {
		list, err := s.opt.Webhooks.Deliveries(ctx, q, 1)
		switch {
		case err != nil:
			return nil, s.noWebhook(ctx, err)
		case len(list) == 0:
			return nil, noDelivery()
		}
		return nil, problem(http.StatusConflict, contract.NotParked, "Not parked", "The event is "+string(list[0].State)+"; only a parked one is sent again.")
	}
	out := &retryOutput{}
	out.Body.Retried = n
	return out, nil
}

// noWebhook says why something was not done with a webhook; nil: it was.
func (s *server) noWebhook(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	var refusal *contract.Refusal
	if !errors.As(err, &refusal) {
		return s.internal(ctx, "do that with a webhook", err)
	}
	for _, p := range problems() {
		if p.name == refusal.Code {
			return problem(p.status, p.name, "Not done", refusal.Why)
		}
	}
	return s.internal(ctx, "do that with a webhook", err)
}
