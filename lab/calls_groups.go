//go:build lab

package lab

import "time"

// A ring group dials 101, 102 and 103 in this order, and so does the queue
// sales; the queue support tries 104, then 109, by Local channels.

func groupCalls() []Scenario {
	return append(ringGroupCalls(), queueCalls()...)
}

func ringGroupCalls() []Scenario {
	return []Scenario{
		{
			Name: "rg-answered", Title: "inbound to the ring group 101, 102, 103; 102 answers",
			Scripts: map[string]string{"101": "ring:30", "102": "ring:2|answer|wait:20", "103": "ring:30"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000008", Dial: "74951234568", Script: "wait:3|hangup",
				Want: inbound("79031000008", "102", "answered", 3)}},
		},
		{
			Name: "rg-nobody", Title: "the ring group, nobody answers (a file is made, and holds no conversation)",
			Scripts: map[string]string{"101": "ring:30", "102": "ring:30", "103": "ring:30"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000010", Dial: "74951234568",
				Want: inbound("79031000010", "101", "no_answer", 0)}},
		},
		{
			Name: "rg-cancel", Title: "the ring group, the caller hangs up while the phones ring",
			Scripts: map[string]string{"101": "ring:30", "102": "ring:30", "103": "ring:30"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000009", Dial: "74951234568", GiveUp: 2 * time.Second,
				Want: inbound("79031000009", "101", "cancelled", 0)}},
		},
		{
			Name: "rg-one-busy", Title: "the ring group: 101 is busy, 102 declines, 103 answers",
			Scripts: map[string]string{"101": "busy", "102": "ring:1|decline", "103": "ring:2|answer|wait:20"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000011", Dial: "74951234568", Script: "wait:2|hangup",
				Want: inbound("79031000011", "103", "answered", 2)}},
		},
		{
			Name: "rg-all-busy", Title: "the ring group, everybody is busy",
			Scripts: map[string]string{"101": "busy", "102": "busy", "103": "busy"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000012", Dial: "74951234568",
				Want: inbound("79031000012", "101", "busy", 0)}},
		},
		{
			Name: "rg-internal", Title: "106 calls the ring group, 101 answers",
			Scripts: map[string]string{"101": "ring:1|answer|wait:20", "102": "ring:30", "103": "ring:30"},
			Calls: []Call{{Phone: "106", Dial: "600", Script: "wait:2|hangup",
				Want: internal("106", "101", "answered", 2)}},
		},
	}
}

func queueCalls() []Scenario {
	return []Scenario{
		{
			Name: "queue-answered", Title: "queue sales (ring all): 102 answers",
			Scripts: map[string]string{"101": "ring:30", "102": "ring:2|answer|wait:20", "103": "ring:30"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000041", Dial: "74951234569", Script: "wait:6|hangup",
				// The queue answers at once; the talk begins when 102 does, 2 s later.
				Want: inbound("79031000041", "102", "answered", 4)}},
		},
		{
			Name: "queue-second-agent", Title: "queue sales: 101 declines, 103 answers and hangs up after 3 s",
			Scripts: map[string]string{"101": "ring:1|decline", "102": "ring:30", "103": "ring:2|answer|wait:3|hangup"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000013", Dial: "74951234569", Script: "wait:20|hangup",
				Want: inbound("79031000013", "103", "answered", 3)}},
		},
		{
			Name: "queue-abandoned", Title: "queue sales: the caller hangs up before an agent answers",
			Scripts: map[string]string{"101": "ring:30", "102": "ring:30", "103": "ring:30"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000014", Dial: "74951234569", Script: "wait:3|hangup",
				Want: inbound("79031000014", "101", "cancelled", 0)}},
		},
		{
			Name: "queue-timeout", Title: "queue sales: nobody answers, the queue gives up after 10 s",
			Scripts: map[string]string{"101": "ring:30", "102": "ring:30", "103": "ring:30"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000015", Dial: "74951234569", Script: "wait:30",
				Want: inbound("79031000015", "101", "no_answer", 0)}},
		},
		{
			Name: "queue-two-callers", Title: "queue sales: 101 talks to the first caller, the second gets 102",
			Scripts: map[string]string{
				"101@79031000042": "ring:1|answer|wait:20", "102@79031000042": "ring:30", "103@79031000042": "ring:30",
				"101@79031000043": "busy", "102@79031000043": "ring:1|answer|wait:20", "103@79031000043": "ring:30"},
			Calls: []Call{
				{Trunk: "trunk-a", From: "79031000042", Dial: "74951234569", Script: "wait:7|hangup",
					Want: inbound("79031000042", "101", "answered", 6)},
				{After: 3 * time.Second, Trunk: "trunk-a", From: "79031000043", Dial: "74951234569", Script: "wait:4|hangup",
					Want: inbound("79031000043", "102", "answered", 3)},
			},
		},
		{
			Name: "queue-local", Title: "queue support (linear, Local members, the PBX does not answer): 104 declines, 109 answers",
			Scripts: map[string]string{"104": "ring:1|decline", "109": "ring:1|answer|wait:20"},
			Uses:    []string{"queue-support"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000018", Dial: "74951234563", Script: "wait:3|hangup",
				Want: inbound("79031000018", "109", "answered", 3)}},
		},
		{
			Name: "queue-local-abandoned", Title: "queue support: the caller hangs up while 104 rings",
			Scripts: map[string]string{"104": "ring:30", "109": "ring:30"},
			Uses:    []string{"queue-support"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000020", Dial: "74951234563", GiveUp: 2 * time.Second,
				Want: inbound("79031000020", "104", "cancelled", 0)}},
		},
		{
			Name: "queue-local-nobody", Title: "queue support: 104 and 109 do not answer, the queue gives up after 14 s",
			Scripts: map[string]string{"104": "ring:30", "109": "ring:30"},
			Uses:    []string{"queue-support"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000022", Dial: "74951234563",
				Want: inbound("79031000022", "104", "no_answer", 0)}},
		},
		{
			Name: "queue-internal", Title: "109 calls the queue sales, 103 answers",
			Scripts: map[string]string{"101": "ring:30", "102": "ring:30", "103": "ring:1|answer|wait:2|hangup"},
			Calls: []Call{{Phone: "109", Dial: "610", Script: "wait:20",
				Want: internal("109", "103", "answered", 2)}},
		},
	}
}
