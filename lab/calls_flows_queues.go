//go:build lab

package lab

import "time"

func queueFlows() []Scenario {
	return []Scenario{
		{
			Name: "queue-302", Title: "a queue's member 153 forwards (302) to 152, which answers",
			Scripts: map[string]string{"153": "redirect:sip:152@127.0.2.1", "152": "ring:1|answer|wait:3|hangup"},
			Uses:    []string{"queue-first"},
			Calls:   []Call{flow("79031000621", "12", "wait:30", inbound("79031000621", "152", "answered", 3))},
		},
		{
			Name: "queue-302-nowhere", Title: "a queue's member 153 forwards (302) to 199, which nobody has; the caller hangs up",
			Scripts: map[string]string{"153": "redirect:sip:199@127.0.2.1"},
			Uses:    []string{"queue-first"},
			Calls:   []Call{flow("79031000622", "12", "wait:3|hangup", inbound("79031000622", "153", "cancelled", 0))},
		},
		{
			Name: "queue-exit-key", Title: "a caller waits in a queue, presses 1 and is put through to 152",
			Scripts: map[string]string{"151": "ring:30", "152": "ring:1|answer|wait:2|hangup"},
			Calls:   []Call{flow("79031000623", "13", "wait:2|dtmf:1|wait:20", inbound("79031000623", "152", "answered", 2))},
		},
		{
			Name: "queue-overflow", Title: "a queue of 153 alone gives up after 4 s, the next one rings 154, which answers",
			Scripts: map[string]string{"153": "ring:30", "154": "ring:1|answer|wait:2|hangup"},
			Uses:    []string{"queue-first"},
			Calls:   []Call{flow("79031000624", "14", "wait:30", inbound("79031000624", "154", "answered", 2))},
		},
		{
			Name: "queue-empty", Title: "a queue without agents lets nobody in; the PBX, which answered, apologises and hangs up",
			Calls: []Call{flow("79031000625", "15", "wait:20", inbound("79031000625", "515", "no_answer", 0))},
		},
		{
			Name: "queue-empty-unanswered", Title: "a queue without agents lets nobody in; the PBX never answers and hangs up",
			Calls: []Call{flow("79031000626", "16", "wait:20", inbound("79031000626", "516", "failed", 0))},
		},
	}
}

func moreQueueFlows() []Scenario {
	return []Scenario{
		{
			Name: "queue-one-round", Title: "queue with n: one round, 153 does not answer, an apology is played",
			Scripts: map[string]string{"153": "ring:30"},
			Uses:    []string{"queue-first"},
			Calls:   []Call{flow("79031000627", "17", "wait:30", inbound("79031000627", "153", "no_answer", 0))},
		},
		{
			Name: "queue-c-survey", Title: "queue with c: 154 hangs up, the caller goes on to an announcement",
			Scripts: map[string]string{"154": "ring:1|answer|wait:3|hangup"},
			Calls:   []Call{flow("79031000628", "18", "wait:30", inbound("79031000628", "154", "answered", 3))},
		},
		{
			Name: "queue-mobile-accepts", Title: "a queue of a mobile that has to confirm: it presses 1",
			Scripts: map[string]string{"89161000603": "ring:1|answer|wait:1|dtmf:1|wait:4|hangup"},
			Calls:   []Call{flow("79031000629", "20", "wait:30", inbound("79031000629", "520|89161000603", "answered", 4))},
		},
		{
			Name: "queue-named", Title: "a queue of anna-desk (161) and 159: 161 answers",
			Scripts: map[string]string{"161": "ring:1|answer|wait:2|hangup", "159": "ring:30"},
			Calls:   []Call{flow("79031000630", "21", "wait:30", inbound("79031000630", "161", "answered", 2))},
		},
		{
			Name: "queue-redirect-out", Title: "a caller waits in a queue; a CRM sends him to 152 by AMI Redirect",
			Scripts: map[string]string{"153": "ring:30", "152": "ring:1|answer|wait:2|hangup"},
			Uses:    []string{"queue-first"},
			Acts:    []Act{{After: 3 * time.Second, Do: "redirect PJSIP/trunk-a- 152"}},
			Calls:   []Call{flow("79031000631", "12", "wait:30", inbound("79031000631", "152", "answered", 2))},
		},
		{
			Name: "agent-two-customers", Title: "157 logs in as an agent and stays on the line; two customers are given to it, one after the other",
			Uses: []string{"agent"},
			Calls: []Call{
				{Phone: "157", Dial: "544", Script: "wait:30|hangup", Want: internal("157", "544", "answered", NotJudged).audio(0)},
				{After: 10 * time.Second, Trunk: "trunk-a", From: "79031000632", Dial: "74951234845", Script: "wait:4|hangup",
					Want: inbound("79031000632", "157", "answered", 3).audio(0)},
				{After: 20 * time.Second, Trunk: "trunk-a", From: "79031000633", Dial: "74951234845", Script: "wait:4|hangup",
					Want: inbound("79031000633", "157", "answered", 3).audio(0)},
			},
		},
	}
}
