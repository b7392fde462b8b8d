package lab

// Difference is one field of one scenario's records that ARI tells otherwise
// than AMI, and why it cannot know better. The table below is the whole list:
// any other difference between the two tellers fails a run.
type Difference struct {
	Scenario string
	Call     int    // 1 for the scenario's first call
	Field    string // as in the record; "record" where ARI tells one more or one less
	Asterisk string // the version that it happens on; empty: every one
	Why      string
}

// Differences lists what ARI cannot tell.
func Differences() []Difference {
	const originate = "only AMI's OriginateResponse says where a channel that did not answer was to be led"
	return []Difference{
		{Scenario: "callback-noanswer", Call: 1, Field: "srcPhone", Why: originate},
	}
}

// untellable says why ARI may tell a field otherwise than AMI; empty where it
// may not.
func untellable(scenario string, call int, field, asterisk string) string {
	for _, d := range Differences() {
		if d.Scenario == scenario && d.Call == call && d.Field == field && (d.Asterisk == "" || d.Asterisk == asterisk) {
			return d.Why
		}
	}
	return ""
}
