package api

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/internal/recording"
	"github.com/voipd/voipd/record"
)

type linkInput struct {
	Body struct {
		Call   contract.Call `json:"call" doc:"As found in a record"`
		Format string        `json:"format,omitempty" enum:"original,wav,mp3,opus" doc:"What the link gives, whatever the file is; without it what browsers play: the file as it is, or WAV. A link takes &format= itself, too"`
	}
}

type linkOutput struct {
	Body struct {
		Link      string    `json:"link"`
		ExpiresAt time.Time `json:"expiresAt,omitzero" doc:"Absent where the configuration lets this token have links that do not expire (link_ttl)"`
	}
}

func (s *server) link(ctx context.Context, in *linkInput) (*linkOutput, error) {
	call := in.Body.Call
	r, err := s.record(ctx, call.CallID)
	if err != nil {
		return nil, err
	}
	rec, err := find(r, call.Recording)
	if err != nil {
		return nil, err
	}
	f, err := s.opt.Library.Open(rec.Path)
	if err != nil {
		return nil, s.unavailable(ctx, err, rec)
	}
	f.Close()
	out := &linkOutput{}
	signer := s.opt.Signer
	if token := tokenIn(ctx); token.LinkTTL != 0 {
		if signer, err = s.signerOf(ctx, token); err != nil {
			return nil, s.internal(ctx, "read the key of links", err)
		}
	}
	if masked(ctx) {
		signer = masks(signer)
	}
	signer.Base = s.base(ctx)
	out.Body.Link, out.Body.ExpiresAt = signer.Link(r.CallID, rec.ID, s.opt.Now())
	if masked(ctx) {
		out.Body.Link += "&masked=1" // and is worth nothing without: its key is another
	}
	if in.Body.Format != "" {
		if err := s.available(ctx, rec, in.Body.Format); err != nil {
			return nil, err
		}
		out.Body.Link += "&format=" + url.QueryEscape(in.Body.Format) // no secret: it is not signed
	}
	return out, nil
}

// signerOf makes a token's own links. They hang on its key, which can be renewed, and
// on the token itself.
func (s *server) signerOf(ctx context.Context, t *Token) (recording.Signer, error) {
	key, err := s.opt.LinkKey(ctx, t.Name)
	return s.opt.Signer.Of(t.Name, t.LinkTTL, key, t.Hash[:]), err
}

// genuine checks a link. One of a token works while that may have it.
func (s *server) genuine(ctx context.Context, callID, id string, q url.Values) error {
	signer := s.opt.Signer
	if by := q.Get("by"); by != "" {
		all := *s.tokens.Load()
		i := slices.IndexFunc(all, func(t Token) bool { return t.Name == by })
		if i < 0 || all[i].LinkTTL == 0 || !all[i].has(contract.ScopeRecordings) || all[i].masked() && q.Get("masked") == "" {
			return recording.ErrSignature
		}
		var err error
		if signer, err = s.signerOf(ctx, &all[i]); err != nil {
			return err
		}
	}
	if q.Get("masked") != "" {
		signer = masks(signer)
	}
	return signer.Check(callID, id, q.Get("expires"), q.Get("signature"), s.opt.Now())
}

// masks is the signer of links whose files are named without numbers.
func masks(s recording.Signer) recording.Signer { return s.Of(s.By, s.TTL, []byte("masked")) }

// find picks the recording that a call object names, or the first that holds
// the conversation.
func find(r record.Record, id string) (record.Recording, error) {
	rec := r.FirstRecording()
	if id != "" {
		rec = nil
		for i := range r.Details.Recordings {
			if r.Details.Recordings[i].ID == id {
				rec = &r.Details.Recordings[i]
			}
		}
		if rec == nil {
			return record.Recording{}, problem(http.StatusNotFound, "unknown-recording", "No such recording",
				fmt.Sprintf("The call %q has no recording %q.", r.CallID, id))
		}
	}
	switch {
	case rec == nil && len(r.Details.Recordings) > 0 && r.Details.Recordings[0].State == record.Gone:
		return r.Details.Recordings[0], nil
	case rec == nil:
		return record.Recording{}, problem(http.StatusNotFound, "not-recorded", "Not recorded", fmt.Sprintf("The call %q was not recorded.", r.CallID))
	case rec.State == record.Gone: // it may have come back; opening it tells
	case rec.State != record.Ready:
		return record.Recording{}, problem(http.StatusConflict, "recording-growing", "Recording still being written",
			"The recording is still being written. Ask again in some seconds.")
	}
	return *rec, nil
}

func gone() error {
	return problem(http.StatusGone, "recording-gone", "Recording gone", "The recording's file is no longer on the disk.")
}

// unavailable says why a file cannot be opened.
func (s *server) unavailable(ctx context.Context, err error, rec record.Recording) error {
	switch {
	case errors.Is(err, recording.ErrGone):
		return gone()
	case errors.Is(err, recording.ErrRefused), errors.Is(err, recording.ErrNotAudio):
		s.opt.Log.Warn("a recording may not be served; is its folder among recordings.directories?", "path", rec.Path, "error", err)
		return problem(http.StatusForbidden, "recording-refused", "Recording may not be served",
			"The recording's file is not audio in one of the configured folders.")
	}
	return s.internal(ctx, "open recording", err)
}

// behindLink gives serve the recording of a signed link.
func (s *server) behindLink(serve func(http.ResponseWriter, *http.Request, record.Recording)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if rec, err := s.ofLink(r); err != nil {
			writeProblem(w, err)
		} else {
			serve(w, r, rec)
		}
	}
}

// ofLink is the recording to which a signed link leads. The error is a problem.
func (s *server) ofLink(r *http.Request) (rec record.Recording, err error) {
	callID, id, q := r.PathValue("callId"), r.PathValue("id"), r.URL.Query()
	for _, name := range slices.Sorted(maps.Keys(q)) {
		if !slices.Contains([]string{"expires", "signature", "by", "format", "download", "masked"}, name) {
			return rec, badParameter(name, "is no parameter of a link", q.Get(name))
		}
	}
	if v := q.Get("download"); v != "" && v != "0" && v != "1" {
		return rec, badParameter("download", "is 0 or 1", v)
	}
	if err := s.genuine(r.Context(), callID, id, q); err != nil {
		name := "link-invalid"
		switch {
		case errors.Is(err, recording.ErrExpired):
			name = "link-expired"
		case !errors.Is(err, recording.ErrSignature):
			return rec, s.internal(r.Context(), "read the key of links", err)
		}
		return rec, problem(http.StatusForbidden, name, "Link does not work", "This link does not work: "+err.Error()+". Ask for a new one.")
	}
	full, err := s.record(r.Context(), callID)
	if err != nil {
		return rec, err
	}
	return find(full, id)
}

// serve streams a recording; http.ServeContent answers Range, If-Range, HEAD and
// conditional requests.
func (s *server) serve(w http.ResponseWriter, r *http.Request, rec record.Recording) {
	src, err := s.source(r.Context(), rec)
	if err != nil {
		writeProblem(w, err)
		return
	}
	defer src.File.Close()
	sound, err := s.sound(r, src, rec.ID)
	if err != nil {
		s.noSound(w, r, err, rec)
		return
	}
	defer sound.close()
	if r.URL.Query().Get("masked") != "" {
		sound.name = strings.ReplaceAll(contract.MaskText(sound.name), "•", "x")
	}
	h := w.Header()
	h.Del("Content-Security-Policy") // a browser plays it in a page of its own making
	h.Set("Content-Type", sound.kind)
	h.Set("Content-Disposition", disposition(r.URL.Query().Get("download") == "1", sound.name))
	h.Set("ETag", `"`+sound.tag+`"`)
	h.Set("Cache-Control", "private, max-age=0, must-revalidate")
	askedRange(r.Header)
	http.ServeContent(w, r, sound.name, src.File.Info.ModTime(), sound)
}

// disposition names a file by RFC 6266: in ASCII for old clients, and as it is
// called.
func disposition(download bool, name string) string {
	kind := "inline"
	if download {
		kind = "attachment"
	}
	plain := recording.FileName(name)
	if plain == name {
		return kind + "; filename=" + name
	}
	return kind + `; filename="` + plain + `"; filename*=UTF-8''` + strings.ReplaceAll(url.QueryEscape(strings.ToValidUTF8(name, "_")), "+", "%20")
}

// askedRange makes of a Range what net/http answers as RFC 9110 has it: an unknown
// unit is ignored (14.2), and a last byte beyond all numbers is the end (14.1.2).
func askedRange(h http.Header) {
	ranges := h.Get("Range")
	if ranges == "" {
		return
	}
	unit, all, _ := strings.Cut(ranges, "=")
	if !strings.EqualFold(strings.TrimSpace(unit), "bytes") {
		h.Del("Range")
		return
	}
	parts := strings.Split(all, ",")
	for i, part := range parts {
		first, last, ok := strings.Cut(strings.TrimSpace(part), "-")
		if ok && first != "" && len(last) > 18 && strings.Trim(last, "0123456789") == "" {
			parts[i] = first + "-"
		}
	}
	h.Set("Range", "bytes="+strings.Join(parts, ","))
}
