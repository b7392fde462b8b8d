//go:build lab

package lab

import "time"

func outboundCalls() []Scenario {
	return []Scenario{
		{
			Name: "out-answered", Title: "101 calls outside, answered, 101 hangs up after 3 s",
			Scripts: map[string]string{"89161000001": "ring:1|answer|wait:20"},
			Calls: []Call{{Phone: "101", Dial: "89161000001", Script: "wait:3|hangup",
				Want: outbound("101", "89161000001", "answered", 3)}},
		},
		{
			Name: "out-answered-far-ends", Title: "104 calls outside, hears early media first, the far side hangs up after 2 s",
			Scripts: map[string]string{"89161000011": "progress:2|answer|wait:2|hangup"},
			Calls: []Call{{Phone: "104", Dial: "89161000011", Script: "wait:20",
				Want: outbound("104", "89161000011", "answered", 2)}},
		},
		{
			Name: "out-busy", Title: "102 calls outside, busy",
			Scripts: map[string]string{"89161000002": "busy"},
			Calls: []Call{{Phone: "102", Dial: "89161000002",
				Want: outbound("102", "89161000002", "busy", 0)}},
		},
		{
			Name: "out-declined", Title: "109 calls outside, it rings and is declined (603)",
			Scripts: map[string]string{"89161000012": "ring:1|decline"},
			Calls: []Call{{Phone: "109", Dial: "89161000012",
				Want: outbound("109", "89161000012", "busy", 0)}},
		},
		{
			Name: "out-noanswer", Title: "103 calls outside, the network gives up after 4 s (480)",
			Scripts: map[string]string{"89161000003": "ring:4|480"},
			Calls: []Call{{Phone: "103", Dial: "89161000003",
				Want: outbound("103", "89161000003", "no_answer", 0)}},
		},
		{
			Name: "out-cancel", Title: "101 calls outside and hangs up while it rings",
			Scripts: map[string]string{"89161000004": "ring:30"},
			Calls: []Call{{Phone: "101", Dial: "89161000004", GiveUp: 2 * time.Second,
				Want: outbound("101", "89161000004", "cancelled", 0)}},
		},
		{
			Name: "out-unknown-number", Title: "106 calls a number outside that nobody has (404 from both providers)",
			Scripts: map[string]string{"89161000013": "404"},
			Calls: []Call{{Phone: "106", Dial: "89161000013",
				Want: outbound("106", "89161000013", "failed", 0)}},
		},
		{
			Name: "out-trunks-down", Title: "104 calls outside, both providers answer 503",
			Scripts: map[string]string{"89161000014": "503"},
			Calls: []Call{{Phone: "104", Dial: "89161000014",
				Want: outbound("104", "89161000014", "failed", 0)}},
		},
		{
			Name: "out-failover", Title: "trunk-a answers 503, the call goes out by trunk-b and is answered",
			Scripts: map[string]string{"a/89161000005": "503", "b/89161000005": "ring:1|answer|wait:20"},
			Calls: []Call{{Phone: "109", Dial: "89161000005", Script: "wait:3|hangup",
				Want: outbound("109", "89161000005", "answered", 3)}},
		},
		{
			Name: "out-9-prefix", Title: "outbound by 9 and the number; the callee's channel is recorded, wav49",
			Scripts: map[string]string{"79161000009": "ring:1|answer|wait:20"},
			Calls: []Call{{Phone: "103", Dial: "979161000009", Script: "wait:3|hangup",
				Want: outbound("103", "79161000009", "answered", 3)}},
		},
		{
			Name: "out-under-a-second", Title: "102 calls outside, the far side answers and hangs up after 0.4 s",
			Scripts: map[string]string{"89161000015": "ring:1|answer|wait:0.4|hangup"},
			Calls: []Call{{Phone: "102", Dial: "89161000015", Script: "wait:20",
				Want: outbound("102", "89161000015", "answered", 0).audio(NotJudged)}},
		},
	}
}

func inboundCalls() []Scenario {
	return []Scenario{
		{
			Name: "in-answered", Title: "inbound to 101, answered, the caller hangs up after 4 s",
			Scripts: map[string]string{"101": "ring:1|answer|wait:20"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000001", Dial: "74951234567", Script: "wait:4|hangup",
				Want: inbound("79031000001", "101", "answered", 4)}},
		},
		{
			Name: "in-answered-operator-ends", Title: "inbound by trunk-b to 104's own number, answered, 104 hangs up",
			Scripts: map[string]string{"104": "ring:1|answer|wait:2|hangup"},
			Calls: []Call{{Trunk: "trunk-b", From: "79031000005", Dial: "74951234554", Script: "wait:20",
				Want: inbound("79031000005", "104", "answered", 2)}},
		},
		{
			Name: "in-noanswer", Title: "inbound to 103, nobody answers, the PBX gives up",
			Scripts: map[string]string{"103": "ring:30"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000002", Dial: "74951234553",
				Want: inbound("79031000002", "103", "no_answer", 0)}},
		},
		{
			Name: "in-cancel", Title: "inbound to 101, the caller hangs up while it rings",
			Scripts: map[string]string{"101": "ring:30"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000003", Dial: "74951234567", GiveUp: 2 * time.Second,
				Want: inbound("79031000003", "101", "cancelled", 0)}},
		},
		{
			Name: "in-busy", Title: "inbound to 101, the phone is busy",
			Scripts: map[string]string{"101": "busy"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000004", Dial: "74951234567",
				Want: inbound("79031000004", "101", "busy", 0)}},
		},
		{
			Name: "in-declined", Title: "inbound to 104, who declines after a second (603)",
			Scripts: map[string]string{"104": "ring:1|decline"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000006", Dial: "74951234554",
				Want: inbound("79031000006", "104", "busy", 0)}},
		},
		{
			Name: "in-unregistered", Title: "inbound to 107, whose phone is not registered",
			Calls: []Call{{Trunk: "trunk-a", From: "79031000007", Dial: "74951234557",
				Want: inbound("79031000007", "107", "failed", 0)}},
		},
		{
			Name: "in-to-nobody", Title: "inbound to a number of ours that leads to nobody: ended unanswered",
			Calls: []Call{{Trunk: "trunk-a", From: "79031000016", Dial: "74951234566",
				Want: inbound("79031000016", "74951234566", "failed", 0)}},
		},
		{
			Name: "in-unknown-number", Title: "inbound to a number that the dialplan does not know: no channel, no record",
			Calls: []Call{{Trunk: "trunk-a", From: "79031000017", Dial: "74951239999", NoChannel: true}},
		},
		{
			Name: "in-under-a-second", Title: "inbound to 104, the caller hangs up 0.5 s after the answer",
			Scripts: map[string]string{"104": "ring:1|answer|wait:20"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000019", Dial: "74951234554", Script: "wait:0.5|hangup",
				Want: inbound("79031000019", "104", "answered", 0).audio(NotJudged)}},
		},
		{
			Name: "in-utf8-name", Title: "inbound with a long caller name in Cyrillic",
			Scripts: map[string]string{"109": "ring:1|answer|wait:20"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000035", Dial: "74951234559", Script: "wait:2|hangup",
				Named: "Акционерное общество «Ромашка и партнёры», отдел снабжения",
				Want:  inbound("79031000035", "109", "answered", 2)}},
		},
		{
			Name: "in-anonymous", Title: "inbound without a number",
			Scripts: map[string]string{"102": "ring:1|answer|wait:20"},
			Calls: []Call{{Trunk: "trunk-a-hidden", Dial: "74951234552", Script: "wait:2|hangup",
				Want: inbound("anonymous", "102", "answered", 2)}},
		},
		{
			Name: "in-two-callers", Title: "two callers at once ask for 109: she talks to the first and is busy for the second one",
			Scripts: map[string]string{"109@79031000036": "ring:1|answer|wait:20", "109@79031000037": "busy"},
			Calls: []Call{
				{Trunk: "trunk-a", From: "79031000036", Dial: "74951234559", Script: "wait:4|hangup",
					Want: inbound("79031000036", "109", "answered", 4)},
				{After: 2 * time.Second, Trunk: "trunk-b", From: "79031000037", Dial: "74951234559",
					Want: inbound("79031000037", "109", "busy", 0)},
			},
		},
	}
}
