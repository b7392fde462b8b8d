//go:build lab

package lab

// What conf/pbx/extensions_flows.conf has. Nobody records there.

// flow is a call from outside to a number of that dialplan: 749512348NN.
func flow(from, nn, script string, want *Want) Call {
	return Call{Trunk: "trunk-a", From: from, Dial: "749512348" + nn, Script: script, Want: want.audio(0)}
}

// What Dial's options do after and beside a conversation.
func dialFlows() []Scenario {
	return []Scenario{
		{
			Name: "dial-g-survey", Title: "Dial with g: 141 hangs up, the caller goes on to an announcement",
			Scripts: map[string]string{"141": "ring:1|answer|wait:2|hangup"},
			Calls:   []Call{flow("79031000601", "01", "wait:30", inbound("79031000601", "141", "answered", 2))},
		},
		{
			Name: "dial-g-noanswer", Title: "Dial with g: 141 does not answer, the PBX says so and hangs up",
			Scripts: map[string]string{"141": "ring:30"},
			Calls:   []Call{flow("79031000602", "01", "wait:30", inbound("79031000602", "141", "no_answer", 0))},
		},
		{
			Name: "dial-f", Title: "Dial with F: the caller hangs up after 2 s, 142 goes on to an announcement",
			Scripts: map[string]string{"142": "ring:1|answer|wait:20"},
			Calls:   []Call{flow("79031000603", "02", "wait:2|hangup", inbound("79031000603", "142", "answered", 2))},
		},
		{
			Name: "dial-limit", Title: "Dial with L: the PBX ends the conversation after 3 s",
			Scripts: map[string]string{"147": "ring:1|answer|wait:20"},
			Calls:   []Call{flow("79031000604", "08", "wait:20", inbound("79031000604", "147", "answered", 3))},
		},
		{
			Name: "busy-to-mobile", Title: "148 is busy, the dialplan goes on to a mobile, which answers",
			Scripts: map[string]string{"148": "busy", "89161000602": "ring:1|answer|wait:2|hangup"},
			Calls:   []Call{flow("79031000605", "09", "wait:20", inbound("79031000605", "148|509", "answered", 2))},
		},
		{
			Name: "busy-to-mobile-busy", Title: "148 is busy, the dialplan goes on to a mobile, which is busy too",
			Scripts: map[string]string{"148": "busy", "89161000602": "busy"},
			Calls:   []Call{flow("79031000606", "09", "wait:20", inbound("79031000606", "148|509", "busy", 0))},
		},
		{
			Name: "group-c-nobody", Title: "Dial with c: nobody answers, and the phones hear that somebody else did",
			Scripts: map[string]string{"141": "ring:30", "142": "ring:30"},
			Calls:   []Call{flow("79031000607", "10", "wait:20", inbound("79031000607", "141", "no_answer", 0))},
		},
		{
			Name: "group-q-nobody", Title: "Dial with Q: nobody answers, and the phones hear that it is busy",
			Scripts: map[string]string{"143": "ring:30", "144": "ring:30"},
			Calls:   []Call{flow("79031000608", "11", "wait:20", inbound("79031000608", "143", "no_answer", 0))},
		},
		{
			Name: "group-q-answered", Title: "Dial with Q: 144 answers, 143 hears that it is busy",
			Scripts: map[string]string{"143": "ring:30", "144": "ring:1|answer|wait:2|hangup"},
			Calls:   []Call{flow("79031000609", "11", "wait:20", inbound("79031000609", "144", "answered", 2))},
		},
		{
			Name: "group-mobile-answers", Title: "a group of 149 and a mobile, by a number of three digits: the mobile answers",
			Scripts: map[string]string{"149": "ring:30", "89161000605": "ring:1|answer|wait:3|hangup"},
			Calls:   []Call{flow("79031000610", "39", "wait:20", inbound("79031000610", "149", "answered", 3))},
		},
		{
			Name: "group-mobile-internal", Title: "141 calls that group, the mobile answers",
			Scripts: map[string]string{"149": "ring:30", "89161000605": "ring:1|answer|wait:3|hangup"},
			Calls: []Call{{Phone: "141", Dial: "539", Script: "wait:20",
				Want: internal("141", "149", "answered", 3).audio(0)}},
		},
	}
}

// Who has to press 1 before he is put through, or is asked.
func confirmedCalls() []Scenario {
	return []Scenario{
		{
			Name: "confirm-accepted", Title: "144 picks up, presses 1 and talks",
			Scripts: map[string]string{"144": "ring:1|answer|wait:1|dtmf:1|wait:4|hangup"},
			Calls:   []Call{flow("79031000611", "04", "wait:20", inbound("79031000611", "144", "answered", 4))},
		},
		{
			Name: "confirm-refused", Title: "144 picks up and presses nothing: the subroutine says BUSY",
			Scripts: map[string]string{"144": "ring:1|answer|wait:20"},
			Calls:   []Call{flow("79031000612", "04", "wait:20", inbound("79031000612", "144", "busy|no_answer", 0))},
		},
		{
			Name: "confirm-abort", Title: "144 picks up and presses 2: the subroutine says ABORT",
			Scripts: map[string]string{"144": "ring:1|answer|wait:1|dtmf:2|wait:20"},
			Calls:   []Call{flow("79031000613", "05", "wait:20", inbound("79031000613", "144", "busy|no_answer", 0))},
		},
		{
			Name: "confirm-mobile-accepts", Title: "a group of 145 and a mobile that has to confirm: it presses 1",
			Scripts: map[string]string{"145": "ring:30", "89161000601": "ring:1|answer|wait:1|dtmf:1|wait:4|hangup"},
			Calls:   []Call{flow("79031000614", "06", "wait:20", inbound("79031000614", "145", "answered", 4))},
		},
		{
			Name: "confirm-mobile-refuses", Title: "a group of 145 and a mobile that has to confirm: it presses nothing, 145 answers",
			Scripts: map[string]string{"145": "ring:6|answer|wait:3|hangup", "89161000601": "ring:1|answer|wait:20"},
			Calls:   []Call{flow("79031000615", "06", "wait:20", inbound("79031000615", "145", "answered", 3))},
		},
		{
			Name: "screen-refused", Title: "Dial with p: the caller says his name, 146 hears it and sends him away",
			Scripts: map[string]string{"146": "ring:1|answer|wait:3|dtmf:2|wait:20"},
			Calls:   []Call{flow("79031000616", "07", "wait:30", inbound("79031000616", "146", "busy|no_answer", 0))},
		},
		{
			Name: "screen-accepted", Title: "Dial with p: the caller says his name, 146 hears it and takes the call",
			Scripts: map[string]string{"146": "ring:1|answer|wait:3|dtmf:1|wait:4|hangup"},
			Calls:   []Call{flow("79031000617", "07", "wait:30", inbound("79031000617", "146", "answered", 4))},
		},
	}
}

// Who was not reached: do not disturb, not registered, mailboxes.
func mailboxCalls() []Scenario {
	return []Scenario{
		{
			Name: "dnd-internal", Title: "141 calls 157, who does not want to be disturbed: no phone rings",
			Calls: []Call{{Phone: "141", Dial: "157", Want: internal("141", "157", "busy", 0)}},
		},
		{
			Name: "dnd-inbound", Title: "inbound to 157, who does not want to be disturbed",
			Calls: []Call{{Trunk: "trunk-a", From: "79031000618", Dial: "74951234957", Want: inbound("79031000618", "157", "busy", 0)}},
		},
		{
			Name: "dnd-mailbox", Title: "142 calls 158, who does not want to be disturbed: the mailbox answers",
			Calls: []Call{{Phone: "142", Dial: "158", Script: "wait:8|hangup", Want: internal("142", "158", "busy|no_answer|failed", 0)}},
		},
		{
			Name: "mailbox-internal", Title: "143 calls 156, who does not answer: the mailbox does",
			Scripts: map[string]string{"156": "ring:30"},
			Calls:   []Call{{Phone: "143", Dial: "156", Script: "wait:8|hangup", Want: internal("143", "156", "no_answer", 0)}},
		},
		{
			Name: "mailbox-internal-busy", Title: "143 calls 156, who is busy: the mailbox answers",
			Scripts: map[string]string{"156": "busy"},
			Calls:   []Call{{Phone: "143", Dial: "156", Script: "wait:8|hangup", Want: internal("143", "156", "busy", 0)}},
		},
		{
			Name: "mailbox-unregistered", Title: "144 calls 155, whose phone is off: the mailbox answers",
			Calls: []Call{{Phone: "144", Dial: "155", Script: "wait:8|hangup", Want: internal("144", "155", "failed", 0)}},
		},
		{
			Name: "named-noanswer", Title: "inbound to 161, whose endpoint is called anna-desk; nobody answers",
			Scripts: map[string]string{"161": "ring:30"},
			Calls:   []Call{{Trunk: "trunk-a", From: "79031000619", Dial: "74951234961", Want: inbound("79031000619", "161", "no_answer", 0)}},
		},
		{
			Name: "named-answered", Title: "145 calls 161, whose endpoint is called anna-desk, and who answers",
			Scripts: map[string]string{"161": "ring:1|answer|wait:2|hangup"},
			Calls:   []Call{{Phone: "145", Dial: "161", Script: "wait:20", Want: internal("145", "161", "answered", 2).audio(0)}},
		},
	}
}
