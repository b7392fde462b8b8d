package record

import "slices"

// same tells whether two records say the same, their recordings aside.
func same(a, b Record) bool {
	return a.Direction == b.Direction && a.Disposition == b.Disposition && a.Duration == b.Duration &&
		sameTexts([]string{a.CallID, a.SrcPhone, a.SrcPhoneExt, a.DstPhone, a.DstPhoneExt}, []string{b.CallID, b.SrcPhone, b.SrcPhoneExt, b.DstPhone, b.DstPhoneExt}) &&
		sameDetails(&a.Details, &b.Details)
}

func sameDetails(a, b *Details) bool {
	return a.StartedAt.Equal(b.StartedAt) && a.AnsweredAt.Equal(b.AnsweredAt) && a.EndedAt.Equal(b.EndedAt) &&
		a.RingMS == b.RingMS && a.WaitMS == b.WaitMS && a.HoldMS == b.HoldMS && a.TalkMS == b.TalkMS && a.QueueWaitMS == b.QueueWaitMS && a.RangOmitted == b.RangOmitted &&
		a.Voicemail == b.Voicemail && a.HangupCause == b.HangupCause && sameTexts(a.texts(), b.texts()) &&
		slices.EqualFunc(a.Rang, b.Rang, sameRang) && slices.EqualFunc(a.Conversations, b.Conversations, sameConversation) &&
		slices.EqualFunc(a.Transfers, b.Transfers, sameTransfer) && slices.EqualFunc(a.Why, b.Why, sameReason) &&
		sameTexts(a.Absorbed, b.Absorbed) && sameTexts(a.Approximate, b.Approximate)
}

// texts are the fields that are a single text.
func (d *Details) texts() []string {
	return []string{d.DID, d.CallerName, d.Asked, d.BeganBy, d.Queue, d.Service, d.HangupBy, d.MergedInto, d.PBX, d.Source}
}

func sameRang(a, b Rang) bool {
	return a.At.Equal(b.At) && a.MS == b.MS && a.Cause == b.Cause && sameTexts([]string{a.Phone, a.Outcome}, []string{b.Phone, b.Outcome})
}

func sameConversation(a, b Conversation) bool {
	return a.At.Equal(b.At) && a.MS == b.MS && sameTexts([]string{a.A, a.B}, []string{b.A, b.B})
}

func sameTransfer(a, b Transfer) bool {
	return a.At.Equal(b.At) && sameTexts([]string{a.Kind, a.By, a.To}, []string{b.Kind, b.By, b.To})
}

func sameReason(a, b Reason) bool {
	return a.At.Equal(b.At) && sameTexts([]string{a.Field, a.Rule}, []string{b.Field, b.Rule})
}

// sameTexts compares texts as they are after they were kept: JSON has U+FFFD
// for each byte that is not UTF-8, such as those of a caller's name in a
// national character set.
func sameTexts(a, b []string) bool {
	return slices.EqualFunc(a, b, func(a, b string) bool { return a == b || utf8Only(a) == utf8Only(b) })
}

// utf8Only is a text with U+FFFD for each byte that is not UTF-8.
func utf8Only(s string) string { return string([]rune(s)) }
