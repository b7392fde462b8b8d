package api

import (
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/internal/recording"
)

// This file completes the description of the API that huma makes of the types:
// what goes wrong where, links to recordings, and events.

// apiVersion is that of what the API takes and gives: the second number grows with
// what is added; the first would with what breaks a client.
const apiVersion = "1.4.0"

// describe completes the description.
func describe(api huma.API) {
	doc := api.OpenAPI()
	doc.Info.Version = apiVersion
	doc.Info.Description = "Calls of an Asterisk PBX: records, recordings, calls that go on, click to call, and events."
	doc.Info.License = &huma.License{Name: "See the source of voipd", URL: "https://github.com/voipd/voipd"}
	doc.Servers = []*huma.Server{{URL: "{address}", Description: "voipd", Variables: map[string]*huma.ServerVariable{
		"address": {Default: "http://127.0.0.1:8780", Description: "http.base_url of the configuration, or http.listen"}}}}
	schemas := doc.Components.Schemas
	schemas.Schema(reflect.TypeFor[huma.ErrorModel](), true, "ErrorModel")
	describeLinks(doc)
	for _, item := range doc.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Delete} {
			if op != nil {
				describeProblems(op)
				describeParameters(op)
			}
		}
	}
	describeEvents(doc)
	for _, schema := range schemas.Map() {
		notNull(schema)
	}
}

// notNull: a list that is empty is absent or [], never null.
func notNull(s *huma.Schema) {
	for _, p := range s.Properties {
		if p.Type == huma.TypeArray {
			p.Nullable = false
		}
		notNull(p)
	}
}

// describeParameters leaves out what huma says of a pattern when it refuses a value,
// which OpenAPI has no place for. The values go on being checked by the original.
func describeParameters(op *huma.Operation) {
	for i, p := range op.Parameters {
		if p.Schema != nil && p.Schema.PatternDescription != "" {
			shown, schema := *p, *p.Schema
			schema.PatternDescription = ""
			shown.Schema = &schema
			op.Parameters[i] = &shown
		}
	}
}

// describeProblems says with which statuses an operation refuses, and by which
// types of problem.
func describeProblems(op *huma.Operation) {
	names := slices.Concat([]string{"bad-request", "foreign-origin", "unknown-host"}, map[string][]string{
		"list-records":          {"events-gone"},
		"get-record":            {"unknown-call"},
		"export-facts":          {"unknown-call", "facts-gone", "numbers-masked"},
		"get-call":              {"unknown-call"},
		"place-call":            {"body-too-large", "unsupported-media-type", "idempotency-key-reused", "outcome-unknown", contract.CallsOff, contract.SourceRefused, contract.NumberRefused, contract.OperatorBusy, contract.OperatorUnreachable, contract.TooManyCalls, contract.PBXUnreachable},
		"end-call":              {"unknown-call", contract.PBXUnreachable},
		"follow-events":         {"events-gone", "too-many-streams"},
		"make-call-link":        {"body-too-large", "unsupported-media-type", "idempotency-key-reused", "unknown-call", "unknown-recording", "not-recorded", "recording-growing", "recording-gone", "recording-refused", "no-converter", "conversion-too-long"},
		"download-recording":    {"link-invalid", "link-expired", "unknown-call", "unknown-recording", "recording-gone", "recording-refused", "unknown-format", "no-converter", "converter-busy", "conversion-too-long", "conversion-no-room", "conversion-failed"},
		"get-peaks":             {"link-invalid", "link-expired", "unknown-call", "unknown-recording", "recording-growing", "recording-gone", "recording-refused", "no-converter", "converter-busy", "conversion-too-long", "conversion-no-room", "conversion-failed"},
		"add-webhook":           {"body-too-large", "unsupported-media-type", contract.WebhookExists, contract.TooManyWebhooks},
		"show-webhook":          {contract.UnknownWebhook},
		"remove-webhook":        {contract.UnknownWebhook, contract.WebhookInFile},
		"pause-webhook":         {contract.UnknownWebhook, "idempotency-key-reused", "outcome-unknown"},
		"resume-webhook":        {contract.UnknownWebhook, "idempotency-key-reused", "outcome-unknown"},
		"test-webhook":          {contract.UnknownWebhook, "idempotency-key-reused", "outcome-unknown"},
		"rotate-webhook-secret": {"body-too-large", "unsupported-media-type", contract.UnknownWebhook, contract.WebhookInFile},
		"list-deliveries":       {contract.UnknownWebhook},
		"show-delivery":         {contract.UnknownWebhook, contract.UnknownDelivery},
		"retry-deliveries":      {"body-too-large", "unsupported-media-type", "idempotency-key-reused", "outcome-unknown", contract.UnknownWebhook},
		"retry-delivery":        {"idempotency-key-reused", "outcome-unknown", contract.UnknownWebhook, contract.UnknownDelivery, contract.NotParked},
	}[op.OperationID])
	if op.OperationID != "download-recording" && op.OperationID != "get-peaks" && op.OperationID != "get-health" {
		names = append(names, "unauthorised", "too-many-wrong-tokens", "scope-missing")
	}
	byStatus := map[int][]string{http.StatusInternalServerError: {"internal"}}
	for _, p := range problems() {
		if slices.Contains(names, p.name) {
			byStatus[p.status] = append(byStatus[p.status], p.name)
		}
	}
	if op.Responses == nil {
		op.Responses = map[string]*huma.Response{}
	}
	delete(op.Responses, "default")
	for status, types := range byStatus {
		code := strconv.Itoa(status)
		if op.Responses[code] != nil && op.Responses[code].Description != http.StatusText(status) {
			continue // health says more
		}
		r := &huma.Response{Description: "Problem of type `" + strings.Join(types, "`, `") + "`",
			Content: map[string]*huma.MediaType{"application/problem+json": {Schema: &huma.Schema{Ref: "#/components/schemas/ErrorModel"},
				Example: map[string]any{"type": problemType(types[0]), "title": http.StatusText(status), "status": status, "detail": "…", "instance": "urn:voipd:request:7GCMG46W4ZEMTMQB"}}}}
		if again(status) {
			r.Headers = map[string]*huma.Param{"Retry-After": {Description: "After how many seconds it is worth asking again", Schema: &huma.Schema{Type: huma.TypeInteger}}}
		}
		op.Responses[code] = r
	}
}

// describeLinks describes what a link to a recording gives: net/http serves it, not
// huma.
func describeLinks(doc *huma.OpenAPI) {
	text := func(name, in, what string, required bool) *huma.Param {
		return &huma.Param{Name: name, In: in, Description: what, Required: required, Schema: &huma.Schema{Type: huma.TypeString}}
	}
	audio := map[string]*huma.MediaType{"audio/*": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}
	level := &huma.Schema{Type: huma.TypeInteger, Minimum: new(0.0), Maximum: new(255.0)}
	levels := &huma.Schema{Type: huma.TypeObject, Required: []string{"peaks"}, Properties: map[string]*huma.Schema{"peaks": {Type: huma.TypeArray, Items: level,
		Description: "The loudest moment of each of 600 equal parts of the sound, fewer where it has fewer samples. 0 is silence, 255 the loudest that there can be"}}}
	doc.AddOperation(&huma.Operation{OperationID: "get-peaks", Method: http.MethodGet, Path: recording.LinkPath + "{callId}/{id}/peaks",
		Summary: "The outline of a recording, for a waveform: by a link of POST /v1/call-link with /peaks before its question mark", Security: []map[string][]string{{}},
		Parameters: []*huma.Param{text("callId", "path", "Of the call", true), text("id", "path", "Of the recording", true), text("expires", "query", "As in the link", true), text("signature", "query", "As in the link", true), text("by", "query", "As in the link, of a token that has links of its own", false)},
		Responses:  map[string]*huma.Response{"200": {Description: "Its peaks", Content: map[string]*huma.MediaType{"application/json": {Schema: levels}}}}})
	doc.AddOperation(&huma.Operation{OperationID: "download-recording", Method: http.MethodGet, Path: recording.LinkPath + "{callId}/{id}",
		Summary: "The audio of a recording, by a link of POST /v1/call-link", Security: []map[string][]string{{}},
		Parameters: []*huma.Param{text("callId", "path", "Of the call", true), text("id", "path", "Of the recording", true), text("expires", "query", "As in the link", true), text("signature", "query", "As in the link", true), text("by", "query", "As in the link, of a token that has links of its own", false),
			text("format", "query", "original, wav, mp3 or opus; without it what browsers play", false), text("download", "query", "1: as a file to save", false), text("Range", "header", "bytes=FIRST-LAST", false)},
		Responses: map[string]*huma.Response{"200": {Description: "All of it", Content: audio}, "206": {Description: "The range that was asked for", Content: audio}, "304": {Description: "Not changed since If-None-Match"},
			"416": {Description: "The range is behind the end"}}})
}

// event is an event as it is sent. It exists for its schema alone.
type event struct {
	ID   string             `json:"id" doc:"The same however often the event is sent"`
	Seq  int64              `json:"seq" doc:"Its place in the sequence"`
	Type string             `json:"type" doc:"Its kind" enum:"call.started,call.stopped_ringing,call.answered,call.transferred,call.held,call.resumed,call.merged,call.ended,record.created,recording.ready,record.corrected,record.erased,missed.opened,missed.returned,missed.dismissed"`
	At   time.Time          `json:"at" doc:"When it happened on the PBX"`
	Call contract.EventCall `json:"call"`

	Record *contract.Record `json:"record,omitempty"`
}

// webhookEvent is an event about a webhook, as it is sent. It exists for its schema
// alone.
type webhookEvent struct {
	ID      string                  `json:"id" doc:"The same however often the event is sent"`
	Seq     int64                   `json:"seq" doc:"Its place in the sequence"`
	Type    string                  `json:"type" enum:"webhook.failing"`
	At      time.Time               `json:"at" doc:"When it was written"`
	Webhook contract.FailingWebhook `json:"webhook"`
}

// testEvent is what a test sends.
type testEvent struct {
	ID      string    `json:"id"`
	Seq     int64     `json:"seq" doc:"0: it is in no sequence"`
	Type    string    `json:"type" enum:"webhook.test"`
	At      time.Time `json:"at"`
	Webhook struct {
		Name string `json:"name"`
	} `json:"webhook"`
}

// describeEvents describes what is posted to webhooks.
func describeEvents(doc *huma.OpenAPI) {
	schema := func(of reflect.Type, name string) *huma.Schema { return doc.Components.Schemas.Schema(of, true, name) }
	doc.Webhooks = map[string]*huma.PathItem{}
	for _, kind := range append(contract.Kinds(), contract.WebhookTested) {
		body := schema(reflect.TypeFor[event](), "Event")
		switch kind {
		case contract.WebhookFails:
			body = schema(reflect.TypeFor[webhookEvent](), "WebhookEvent")
		case contract.WebhookTested:
			body = schema(reflect.TypeFor[testEvent](), "TestEvent")
		}
		doc.Webhooks[kind] = &huma.PathItem{Post: &huma.Operation{OperationID: "on-" + strings.ReplaceAll(kind, ".", "-"), Summary: fmt.Sprintf("The event %s, signed by Standard Webhooks", kind),
			Security:    []map[string][]string{{}},
			RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/json": {Schema: body}}},
			Responses:   map[string]*huma.Response{"2XX": {Description: "Taken"}, "4XX": {Description: "Not taken; docs/webhooks.md says what is sent again"}}}}
	}
}
