package record

// This file notices facts that are missing: what came later cannot have been
// without them. The record is then mended where that is certain, and says
// approximate. docs/losses.md says what is left.

// rangUntold makes up for a lost DialStarted: a phone that the PBX called and
// whose ringing ended was being rung. (The phone of a pickup called the PBX.)
func (m *Machine) rangUntold(ch *channel) {
	if ch.rung != nil || !ch.party() || !ch.seen || ch.born != Down {
		return
	}
	m.rings(ch, ch.began)
	ch.call.tried = true
	ch.call.approximate("the beginning of a ringing was not told")
}

// classUntold notes a lost Created of a channel of which nothing else tells whether it
// leads outside: the caller ID that its phone has stands there alone.
func (c *call) classUntold(ch *channel, e Event) {
	live := e.Source == SourceAMI || e.Source == SourceARI
	if live && !ch.seen && e.Kind != ChannelPresent && ch.role == external && ch.shownAs == "" {
		c.approximate("the beginning of a channel was not told")
	}
}

// endUntold makes up for a lost HangupRequested: the caller's channel ended in
// the middle of a menu or of a dialling, and nobody says who ended it.
func (c *call) endUntold(ch *channel) {
	if ch != c.caller() || c.cancelled || c.hungUpBy != nil || len(c.talks) > 0 {
		return
	}
	midway := !ch.gaveUp.IsZero() && ch.ended.Sub(ch.gaveUp) <= seam && !c.quit()
	if midway || ch.app == inMenu {
		c.approximate("who ended the call was not told")
	}
}

// ringingEndUntold makes up for a lost DialEnded: AMI tells what became of a
// phone that a channel dialled, but where another phone picked the call up.
func (c *call) ringingEndUntold(a *attempt) {
	if a == nil || a.status != "" || !a.dialled || len(c.talks) > 0 || c.source != SourceAMI {
		return
	}
	for _, t := range c.transfers {
		if t.Kind == "pickup" {
			return
		}
	}
	c.approximate("the end of a ringing was not told")
}

// recordingUntold: a channel was recorded, and the file's name did not come.
func (c *call) recordingUntold(ch *channel) {
	if !ch.recorded {
		return
	}
	for _, t := range c.recordings {
		if t.ch == ch {
			return
		}
	}
	c.approximate("the name of a recording was not told")
}
