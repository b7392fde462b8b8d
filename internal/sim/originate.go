package sim

import "github.com/voipd/voipd/ami"

// Order is a call that a user of the fake PBX asked for with Originate.
type Order struct{ ID, Channel, Context, Exten, CallerID string }

// originate takes an order and tells of it; the call itself is not played.
func (s *session) originate(m *ami.Message) {
	opts := s.pbx.opts
	if opts.Originated == nil || !has(opts.Write, "originate") {
		s.reply(m, "Error", "Message: Permission denied")
		return
	}
	text := func(name string) string { return string(m.Get(name)) }
	opts.Originated(Order{ID: text("ChannelId"), Channel: text("Channel"), Context: text("Context"), Exten: text("Exten"), CallerID: text("CallerID")})
	s.reply(m, "Success", "Message: Originate successfully queued")
}
