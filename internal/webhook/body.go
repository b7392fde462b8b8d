package webhook

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"text/template"
	"time"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

// Template makes what is posted of an event: always JSON.
type Template func(c *store.Change, instance string) ([]byte, error)

// Plain is the event as the live stream has it.
func Plain(c *store.Change, instance string) ([]byte, error) { return envelope(instance, c), nil }

// Event is an event as [Plain] writes it, for those who read it.
type Event struct {
	ID   string    `json:"id"`
	Seq  int64     `json:"seq"`
	Type string    `json:"type"`
	At   time.Time `json:"at"`
	contract.Body
}

// brix is the shape that the BRIX module reads: Event is the app's
// VoipWebhookRequest, CallRecord its VoipCallRecord, both field for field.
type brix struct {
	ID         string       `json:"id"`
	Type       string       `json:"type"`
	At         time.Time    `json:"at"`
	Event      *brixRequest `json:"event,omitempty"`
	CallRecord *brixRecord  `json:"callRecord,omitempty"`
}

type brixRequest struct {
	CallID      string `json:"callId"`
	Direction   string `json:"direction"`
	Disposition string `json:"disposition"`
	SrcPhone    string `json:"srcPhone"`
	SrcPhoneExt string `json:"srcPhoneExt,omitempty"`
	DstPhone    string `json:"dstPhone"`
	DstPhoneExt string `json:"dstPhoneExt,omitempty"`
	Event       string `json:"event"`
}

type brixRecord struct {
	Call        contract.Call `json:"call"`
	CallID      string        `json:"callId"`
	Direction   string        `json:"direction"`
	Disposition string        `json:"disposition"`
	SrcPhone    string        `json:"srcPhone"`
	SrcPhoneExt string        `json:"srcPhoneExt,omitempty"`
	DstPhone    string        `json:"dstPhone"`
	DstPhoneExt string        `json:"dstPhoneExt,omitempty"`
	Duration    int           `json:"duration"`
	StartedAt   time.Time     `json:"startedAt"`
}

// BRIX is the event as the BRIX module reads it: a call's event as "event", a
// record's as "callRecord".
func BRIX(c *store.Change, instance string) ([]byte, error) {
	var b contract.Body
	if err := json.Unmarshal(c.Body, &b); err != nil {
		return nil, fmt.Errorf("read event %d: %w", c.Seq, err)
	}
	out := brix{ID: contract.EventID(instance, c.Seq), Type: c.Kind, At: c.At}
	switch r := b.Record; {
	case c.CallID == "": // a test: it is about no call
	case r != nil:
		out.CallRecord = &brixRecord{Call: r.Call, CallID: r.CallID, Direction: r.Direction, Disposition: r.Disposition, SrcPhone: r.SrcPhone,
			SrcPhoneExt: r.SrcPhoneExt, DstPhone: r.DstPhone, DstPhoneExt: r.DstPhoneExt, Duration: r.Duration, StartedAt: r.Details.StartedAt}
	default:
		k := b.Call
		out.Event = &brixRequest{CallID: k.CallID, Direction: k.Direction, Disposition: stoppedAs(k), SrcPhone: k.SrcPhone,
			SrcPhoneExt: k.SrcPhoneExt, DstPhone: k.DstPhone, DstPhoneExt: k.DstPhoneExt, Event: c.Kind}
	}
	text, err := json.Marshal(out)
	return contract.Stamped(text), err
}

// stoppedAs is the disposition of an event of the app. The app has one word for a
// phone that lost to another and for a caller who gave up.
func stoppedAs(c contract.EventCall) string {
	if c.Outcome == "elsewhere" {
		return string(record.Cancelled)
	}
	return cmp.Or(c.Outcome, c.Disposition)
}

// Own makes a Template of an admin's text (text/template). It gets the event as
// Plain writes it, {{.type}}, {{.call.srcPhone}}, and writes values with
// {{json .call.srcPhone}}. What it gives has to be JSON.
func Own(name, text string) (Template, error) {
	t, err := template.New(name).Option("missingkey=zero").Funcs(template.FuncMap{"json": func(v any) (string, error) {
		out, err := json.Marshal(v)
		return string(out), err
	}}).Parse(text)
	if err != nil {
		return nil, fmt.Errorf("read template: %w", err)
	}
	return func(c *store.Change, instance string) ([]byte, error) {
		var event map[string]any
		dec := json.NewDecoder(bytes.NewReader(envelope(instance, c)))
		dec.UseNumber()
		if err := dec.Decode(&event); err != nil {
			return nil, fmt.Errorf("read event %d: %w", c.Seq, err)
		}
		var out bytes.Buffer
		if err := t.Execute(&out, event); err != nil {
			return nil, fmt.Errorf("fill in the template: %w", err)
		}
		if !json.Valid(out.Bytes()) {
			return nil, errors.New("the template does not give JSON: write values with {{json .call.srcPhone}}")
		}
		return out.Bytes(), nil
	}, nil
}

func envelope(instance string, c *store.Change) []byte {
	return contract.Envelope(instance, c.Seq, c.Kind, c.At, c.Body)
}
