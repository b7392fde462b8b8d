package contract

import "time"

// Webhook is one receiver of events, and how it does. Its secret is in no answer but
// that which makes it.
type Webhook struct {
	Name           string         `json:"name" example:"crm"`
	URL            string         `json:"url" doc:"Without user, password and query, which may hold secrets" example:"https://crm.example.com/voip"`
	Events         []string       `json:"events" nullable:"false" doc:"Kinds of events that it takes; [] is every one but webhook.failing" example:"[\"call.started\",\"record.created\"]"`
	Template       string         `json:"template" enum:"plain,brix,own" doc:"Shape of the body; own: a body_template of the configuration"`
	From           string         `json:"from" enum:"configuration,api" doc:"Where it comes from. One of the configuration is changed and removed there"`
	State          string         `json:"state" enum:"working,failing,paused" doc:"failing: it takes nothing since failingSince"`
	TimeoutSeconds int            `json:"timeoutSeconds" doc:"How long an answer may take" example:"10"`
	MaxAgeSeconds  int            `json:"maxAgeSeconds" doc:"An event not taken for so long is parked" example:"259200"`
	Waiting        int64          `json:"waiting" doc:"Events that wait for it"`
	Parked         int64          `json:"parked" doc:"Events given up until somebody sends them again"`
	OldestAt       time.Time      `json:"oldestAt,omitzero" doc:"Since when the oldest waits"`
	PausedSince    time.Time      `json:"pausedSince,omitzero"`
	FailingSince   time.Time      `json:"failingSince,omitzero"`
	LastAnswer     *WebhookAnswer `json:"lastAnswer,omitempty" doc:"Absent: none since voipd was started"`
	OldSecretUntil time.Time      `json:"oldSecretUntil,omitzero" doc:"Until then the secret before the last rotation signs as well"`
}

// The values of [Webhook].State and From.
const (
	WebhookWorking       = "working"
	WebhookFailing       = "failing"
	WebhookPaused        = "paused"
	WebhookConfiguration = "configuration"
	WebhookAPI           = "api"
)

// WebhookAnswer is what came of one request to a webhook.
type WebhookAnswer struct {
	At     time.Time `json:"at"`
	Status int       `json:"status" doc:"HTTP status; 0: no answer came" example:"502"`
	Answer string    `json:"answer,omitempty" doc:"Its beginning, or what went wrong"`
}

// WebhookTest is what came of a test event.
type WebhookTest struct {
	Delivered bool   `json:"delivered" doc:"It was answered with 2xx"`
	ID        string `json:"id" doc:"The webhook-id that it was sent with"`
	Status    int    `json:"status" doc:"HTTP status; 0: no answer came"`
	Answer    string `json:"answer,omitempty" doc:"Its beginning, or what went wrong"`
	TookMS    int64  `json:"tookMs"`
}

// NewWebhook is a webhook to be added.
type NewWebhook struct {
	Name           string   `json:"name" maxLength:"64" pattern:"^[A-Za-z0-9][A-Za-z0-9._-]*$" doc:"One that no other webhook has" example:"crm"`
	URL            string   `json:"url" maxLength:"2048" doc:"http or https" example:"https://crm.example.com/voip"`
	Events         []string `json:"events,omitempty" nullable:"false" maxItems:"32" doc:"Kinds of events; without it every one but webhook.failing"`
	Template       string   `json:"template,omitempty" enum:"plain,brix" default:"plain" doc:"Shape of the body"`
	TimeoutSeconds int      `json:"timeoutSeconds,omitempty" minimum:"1" maximum:"120" doc:"How long an answer may take; without it 10"`
	MaxAgeSeconds  int      `json:"maxAgeSeconds,omitempty" minimum:"60" maximum:"2592000" doc:"An event not taken for so long is parked; without it three days"`
}

// Delivery is an event on its way to one webhook.
type Delivery struct {
	ID        string    `json:"id" doc:"The webhook-id that it is sent with"`
	Seq       int64     `json:"seq"`
	Type      string    `json:"type" doc:"Kind of the event"`
	CallID    string    `json:"callId,omitempty"`
	State     string    `json:"state" enum:"waiting,delivered,expired,parked" doc:"parked: given up until somebody sends it again. expired: pointless before it could be sent"`
	Attempts  int       `json:"attempts"`
	Status    int       `json:"status" doc:"HTTP status of the last answer; 0: none came"`
	Answer    string    `json:"answer,omitempty" doc:"Beginning of the last answer, or what went wrong"`
	WrittenAt time.Time `json:"writtenAt" doc:"When it began to wait"`
	NextAt    time.Time `json:"nextAt,omitzero" doc:"When it is tried next, where it waits"`
	ExpiresAt time.Time `json:"expiresAt,omitzero" doc:"When it becomes pointless; absent: never"`
}

// FailingWebhook is what webhook.failing says of a webhook.
type FailingWebhook struct {
	Name         string    `json:"name"`
	FailingSince time.Time `json:"failingSince"`
	Status       int       `json:"status" doc:"HTTP status of the last answer; 0: none came"`
	Answer       string    `json:"answer,omitempty" doc:"Its beginning, or what went wrong"`
	Waiting      int64     `json:"waiting" doc:"Events that wait for it"`
}

// WebhookBody is [Body] of an event about a webhook.
type WebhookBody struct {
	Webhook FailingWebhook `json:"webhook"`
}

// The codes of a [Refusal] that concerns webhooks.
const (
	UnknownWebhook  = "unknown-webhook"
	UnknownDelivery = "unknown-delivery"
	NotParked       = "delivery-not-parked"
	WebhookExists   = "webhook-exists"
	WebhookInFile   = "webhook-in-configuration"
	TooManyWebhooks = "too-many-webhooks"
	WebhookUnfit    = "bad-request"
)
