package lab

// Difference is one field of one scenario's records that ARI tells otherwise
// than AMI, and why one of them cannot know better. The table below is the whole list:
// any other difference between the two tellers fails a run.
type Difference struct {
	Scenario string
	Call     int    // 1 for the scenario's first call
	Field    string // as in the record; "record" where ARI tells one more or one less
	Asterisk string // the version that it happens on; empty: every one
	Why      string
}

// Differences lists what one of the two cannot tell.
func Differences() []Difference {
	return []Difference{
		{Scenario: "recorded-by-ari", Call: 1, Field: "recorded", Why: "AMI has no event for a recording that ARI makes"},
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
