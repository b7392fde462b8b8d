package lab

// Difference is one field of one scenario's records that ARI or CEL tells
// otherwise than AMI, and why one of them cannot know better. The table below is
// the whole list: any other difference between the sources fails a run.
type Difference struct {
	Source   string // "ari" or "cel"
	Scenario string
	Call     int    // 1 for the scenario's first call
	Field    string // as in the record; "record" where ARI tells one more or one less
	Asterisk string // the version that it happens on; empty: every one
	Why      string
}

// Differences lists what one of them cannot tell.
func Differences() []Difference {
	return []Difference{
		{Source: "ari", Scenario: "recorded-by-ari", Call: 1, Field: "recorded", Why: "AMI has no event for a recording that ARI makes"},
		{Source: "ari", Scenario: "named-answered", Call: 1, Field: "direction", Why: noNumber},
		{Source: "ari", Scenario: "queue-named", Call: 1, Field: "dstPhone", Why: noNumber},
		{Source: "cel", Scenario: "callback", Call: 1, Field: "dstPhone", Why: callBack},
		{Source: "cel", Scenario: "callback-noanswer", Call: 1, Field: "dstPhone", Why: callBack},
		{Source: "cel", Scenario: "callback-queue", Call: 1, Field: "dstPhone", Why: callBack},
		{Source: "cel", Scenario: "disa", Call: 1, Field: "dstPhone", Why: "DISA has no row, unless apps in cel.conf names it"},
		{Source: "cel", Scenario: "click-local-noanswer", Call: 1, Field: "direction", Why: neverDialled},
		{Source: "cel", Scenario: "click-local-noanswer", Call: 1, Field: "dstPhone", Why: neverDialled},
	}
}

const noNumber = "ARI does not tell the caller ID of an endpoint: whose anna-desk is, an admin has to say ([[members]] endpoints)"

const neverDialled = "the operator did not answer, and no row has whom the PBX was to call; the record says that it is approximate"

const callBack = "no row has the number that the PBX called; the record says that it is approximate"

// untellable says why a source may tell a field otherwise than AMI; empty where
// it may not.
func untellable(source, scenario string, call int, field, asterisk string) string {
	for _, d := range Differences() {
		if d.Source == source && d.Scenario == scenario && d.Call == call && d.Field == field && (d.Asterisk == "" || d.Asterisk == asterisk) {
			return d.Why
		}
	}
	return ""
}
