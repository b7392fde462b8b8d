package pbx

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/voipd/voipd/ami"
	"github.com/voipd/voipd/record"
)

// Known is what the PBX shows of its endpoints and extensions, as [record.Rules] take
// it. Whoever gets one does not change its maps.
type Known struct {
	Endpoints map[string]string // what each endpoint is, by Name; only those that are shown to be something
	Numbers   map[string]bool   // its extensions; nil: it does not say which it has
	Rang      map[string]bool   // those that rang besides
}

// Extensions are all numbers that are extensions; nil where the PBX does not say.
func (k Known) Extensions() map[string]bool {
	if k.Numbers == nil {
		return nil
	}
	all := maps.Clone(k.Numbers)
	maps.Copy(all, k.Rang)
	return all
}

func (k Known) equal(o Known) bool {
	return maps.Equal(k.Endpoints, o.Endpoints) && (k.Numbers == nil) == (o.Numbers == nil) && maps.Equal(k.Numbers, o.Numbers) && maps.Equal(k.Rang, o.Rang)
}

// tellKnown gives out what is known, where that has changed.
func (p *PBX) tellKnown() {
	k := p.table.known()
	if k.Numbers != nil {
		for _, e := range p.table.All() {
			p.addNumbers(k.Numbers, e)
		}
	}
	maps.DeleteFunc(k.Rang, func(ext string, _ bool) bool { return k.Numbers[ext] })
	if p.opt.OnKnown != nil && !k.equal(p.opt.Known) {
		p.opt.Known = k
		p.opt.OnKnown(k)
	}
}

// addNumbers adds the extension of an endpoint, and its name where that is a number.
func (p *PBX) addNumbers(numbers map[string]bool, e Endpoint) {
	if ext, ok := p.rules.Load().Operator(e.Name, e.Class); ok && e.Class != record.ClassTrunk {
		numbers[ext] = true
		if _, name, _ := strings.Cut(e.Name, "/"); record.Digits(name) {
			numbers[name] = true
		}
	}
}

// rang notes that an operator's phone rang: some technologies list no endpoints.
func (p *PBX) rang(e record.Event) {
	if e.Kind != record.DialStarted {
		return
	}
	if ext, ok := p.rules.Load().Operator(endpointOf(e.Peer.Name), e.Peer.Class); ok && p.table.rings(ext) {
		p.watch.stir()
	}
}

// hintsAndMailboxes are the numbers for which the PBX has a hint of a phone or a
// mailbox. said is false where it does not let this user ask for hints.
func hintsAndMailboxes(ctx context.Context, c *ami.Client) (numbers []string, said bool, err error) {
	hints, said, err := list(ctx, c, "ExtensionStateList")
	if err != nil || !said {
		return nil, false, err
	}
	for _, m := range hints {
		if number := string(m.Get("Exten")); record.Digits(number) && ofPhone(number, string(m.Get("Hint"))) {
			numbers = append(numbers, number)
		}
	}
	mailboxes, _, err := list(ctx, c, "VoicemailUsersList")
	if err != nil {
		return nil, false, err
	}
	for _, m := range mailboxes {
		if number := string(m.Get("VoiceMailbox")); record.Digits(number) {
			numbers = append(numbers, number)
		}
	}
	return numbers, true, nil
}

// ofPhone tells whether a hint shows the state of a phone or a person, and not that
// of a queue, a conference, a parking place or a shared line. One of several phones,
// none of which has the number, is a group's.
func ofPhone(number, hint string) bool {
	phones, own := 0, false
	for one := range strings.SplitSeq(hint, "&") {
		if _, name, phone := strings.Cut(one, "/"); phone {
			phones++
			own = own || strings.Contains(name, number)
		}
		kind, _, _ := strings.Cut(strings.ToLower(one), ":")
		switch kind {
		case "", "queue", "confbridge", "meetme", "park", "sla", "calendar":
			return false
		}
	}
	return phones < 2 || own
}

// users are the users of devices as FreePBX writes them into Asterisk's database;
// none where there are none, or this user may not ask.
func users(ctx context.Context, c *ami.Client) (map[string]string, error) {
	items, _, err := list(ctx, c, "DBGetTree", ami.Header{Key: "Family", Value: "DEVICE"})
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, m := range items {
		key := strings.Split(strings.TrimPrefix(string(m.Get("Key")), "/"), "/") // DEVICE/99101/user
		if user := string(m.Get("Val")); len(key) == 3 && key[2] == "user" && record.Digits(user) {
			out[key[1]] = user
		}
	}
	return out, nil
}

// list asks for a list. said is false where the PBX does not know the question, or does
// not let this user ask it.
func list(ctx context.Context, c *ami.Client, action string, headers ...ami.Header) (items []*ami.Message, said bool, err error) {
	items, err = c.List(ctx, ami.Action{Name: action, Headers: headers})
	var refused *ami.ActionError
	switch {
	case errors.As(err, &refused):
		return nil, false, nil
	case err != nil:
		return nil, false, fmt.Errorf("ask for %s: %w", action, err)
	}
	return items, true, nil
}
