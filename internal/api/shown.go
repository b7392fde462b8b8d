package api

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"reflect"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

// shown is the JSON of a [contract.Record]. A list gives the details through as
// they lie in the database: reading and writing them costs ten times as much as
// finding them.
type shown []byte

// Schema is that of a record.
func (shown) Schema(r huma.Registry) *huma.Schema {
	return r.Schema(reflect.TypeFor[contract.Record](), true, "Record")
}

// MarshalJSON is what json.RawMessage does.
func (s shown) MarshalJSON() ([]byte, error) { return s, nil }

// appendRow appends a record as an admin sees it, or anybody else.
func appendRow(dst []byte, row *store.Row, admin bool) ([]byte, error) {
	known := row.Known()
	text := row.Text
	if stamped := contract.Stamped([]byte(text)); len(stamped) != len(text) {
		text = string(stamped)
	}
	if out, ok := contract.AppendRow(dst, &known, text, admin); ok {
		return out, nil
	}
	r, err := row.Whole()
	if err != nil {
		return dst, err
	}
	whole, err := contract.Encode(viewFor(admin, r))
	return append(dst, whole...), err
}

// showRows shows records as whoever asks may see them.
func (s *server) showRows(ctx context.Context, list []store.Row) ([]shown, error) {
	back, err := s.returned(ctx, list)
	if err != nil {
		return nil, err
	}
	out, size := make([]shown, len(list)), 0
	for i := range list {
		size += len(list[i].Text) + 600 // with the other fields, and a recording
	}
	all := make([]byte, 0, size)
	for i := range list {
		begin := len(all)
		if all, err = appendWhole(all, &list[i], admin(ctx), back); err != nil {
			return nil, err
		}
		out[i] = all[begin:len(all):len(all)]
	}
	return out, nil
}

// appendWhole is appendRow with the talk since, where nobody answered the call.
func appendWhole(dst []byte, row *store.Row, admin bool, back map[string]record.Return) ([]byte, error) {
	dst, err := appendRow(dst, row, admin)
	if talk, is := back[row.CallID]; is && err == nil {
		return contract.AppendReturned(dst, contract.FromReturn(talk, row.StartedAt))
	}
	return dst, err
}

// returned are the talks since, of the calls that nobody answered.
func (s *server) returned(ctx context.Context, list []store.Row) (map[string]record.Return, error) {
	var missed []string
	for i := range list {
		if r := list[i].Known(); len(missedOf(r)) > 0 {
			missed = append(missed, r.CallID)
		}
	}
	return s.talksSince(ctx, missed)
}

// talksSince are, of calls that nobody answered, the talks since: none at a centre.
func (s *server) talksSince(ctx context.Context, callIDs []string) (map[string]record.Return, error) {
	if s.opt.CallBacks == nil {
		return nil, nil
	}
	return s.opt.CallBacks.Returned(ctx, callIDs)
}

// formats are huma's, but for a page of records: encoding/json would read through
// all that it is given as JSON.
func formats() map[string]huma.Format {
	out := maps.Clone(huma.DefaultFormats)
	for name := range out {
		out[name] = huma.Format{Marshal: marshal, Unmarshal: json.Unmarshal}
	}
	return out
}

func marshal(w io.Writer, v any) error {
	body, ok := v.(listBody)
	if !ok {
		text, err := contract.Encode(v)
		if err != nil {
			return err
		}
		_, err = w.Write(append(text, '\n'))
		return err
	}
	size := 100
	for _, r := range body.Records {
		size += len(r) + 1
	}
	out := append(make([]byte, 0, size), `{"records":[`...)
	for i, r := range body.Records {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, r...)
	}
	out = append(out, ']')
	if body.Next != "" {
		out = append(append(append(out, `,"next":"`...), body.Next...), '"') // of base64
	}
	if c := body.Count; c != nil {
		out = fmt.Appendf(out, `,"count":{"records":%d,"moreThan":%t}`, c.Records, c.MoreThan)
	}
	if body.After != nil {
		out = strconv.AppendInt(append(out, `,"after":`...), *body.After, 10)
	}
	_, err := w.Write(append(out, "}\n"...))
	return err
}
