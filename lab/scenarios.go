//go:build lab

package lab

import "time"

// Scenarios is the whole table, in the order of playing.
func Scenarios() []Scenario {
	var all []Scenario
	for _, part := range [][]Scenario{
		internalCalls(), outboundCalls(), inboundCalls(), groupCalls(), serviceCalls(), clickCalls(), transferCalls(), forwardCalls(),
		referCalls(), consultationCalls(), moreTransfers(), moreQueues(), moreServices(), machineCalls(), freepbxCalls(), oldAndOtherCalls(), restCalls(), hostileCalls(),
		dialFlows(), confirmedCalls(), mailboxCalls(), queueFlows(), moreQueueFlows(), joinedCalls(), transferFlows(), crmFlows(), conferenceFlows(), otherFlows(),
	} {
		all = append(all, part...)
	}
	return all
}

// These make the records that the tables below expect.
func internal(src, dst, disposition string, seconds int) *Want {
	return &Want{Direction: "internal", Src: src, Dst: dst, Disposition: disposition, Duration: seconds, Audio: seconds}
}

func outbound(src, dst, disposition string, seconds int) *Want {
	return &Want{Direction: "out", Src: src, Dst: dst, Disposition: disposition, Duration: seconds, Audio: seconds}
}

func inbound(src, dst, disposition string, seconds int) *Want {
	return &Want{Direction: "in", Src: src, Dst: dst, Disposition: disposition, Duration: seconds, Audio: seconds}
}

// audio is the same record with a recording of another length than the talk.
func (w Want) audio(seconds int) *Want {
	w.Audio = seconds
	return &w
}

func internalCalls() []Scenario {
	return []Scenario{
		{
			Name: "int-answered", Title: "101 calls 102, 102 answers, 101 hangs up after 3 s",
			Scripts: map[string]string{"102": "ring:1|answer|wait:20"},
			Calls: []Call{{Phone: "101", Dial: "102", Script: "wait:3|hangup",
				Want: internal("101", "102", "answered", 3)}},
		},
		{
			Name: "int-answered-callee-ends", Title: "103 calls 104, 104 answers and hangs up after 2 s",
			Scripts: map[string]string{"104": "ring:1|answer|wait:2|hangup"},
			Calls: []Call{{Phone: "103", Dial: "104", Script: "wait:20",
				Want: internal("103", "104", "answered", 2)}},
		},
		{
			Name: "int-noanswer", Title: "109 calls 103, nobody answers, the PBX gives up",
			Scripts: map[string]string{"103": "ring:30"},
			Calls: []Call{{Phone: "109", Dial: "103",
				Want: internal("109", "103", "no_answer", 0)}},
		},
		{
			Name: "int-busy", Title: "101 calls 102, 486",
			Scripts: map[string]string{"102": "busy"},
			Calls: []Call{{Phone: "101", Dial: "102",
				Want: internal("101", "102", "busy", 0)}},
		},
		{
			Name: "int-declined", Title: "106 calls 104, it rings and is declined (603)",
			Scripts: map[string]string{"104": "ring:1|decline"},
			Calls: []Call{{Phone: "106", Dial: "104",
				Want: internal("106", "104", "busy", 0)}},
		},
		{
			Name: "int-cancel", Title: "101 calls 102 and hangs up while it rings",
			Scripts: map[string]string{"102": "ring:30"},
			Calls: []Call{{Phone: "101", Dial: "102", GiveUp: 2 * time.Second,
				Want: internal("101", "102", "cancelled", 0)}},
		},
		{
			Name: "int-unregistered", Title: "109 calls 107, whose phone is not registered",
			Calls: []Call{{Phone: "109", Dial: "107",
				Want: internal("109", "107", "failed", 0)}},
		},
		{
			Name: "int-switched-off", Title: "104 calls 108, whose phone is registered and silent",
			Calls: []Call{{Phone: "104", Dial: "108",
				Want: internal("104", "108", "no_answer", 0)}},
		},
		{
			Name: "int-unknown-extension", Title: "106 calls 199: the PBX says that nobody has the number",
			Calls: []Call{{Phone: "106", Dial: "199",
				Want: internal("106", "199", "failed", 0)}},
		},
		{
			Name: "int-no-such-number", Title: "103 calls 5555, which the dialplan does not know: no channel, no record",
			Calls: []Call{{Phone: "103", Dial: "5555", NoChannel: true}},
		},
		{
			Name: "int-under-a-second", Title: "103 calls 104, they talk for 0.5 s",
			Scripts: map[string]string{"104": "ring:1|answer|wait:20"},
			Calls: []Call{{Phone: "103", Dial: "104", Script: "wait:0.5|hangup",
				Want: internal("103", "104", "answered", 0).audio(NotJudged)}},
		},
		{
			Name: "int-service", Title: "109 calls the echo test, which counts as answered",
			Calls: []Call{{Phone: "109", Dial: "*43", Script: "wait:2|hangup",
				Want: internal("109", "*43", "answered", 2).audio(0)}},
		},
	}
}
