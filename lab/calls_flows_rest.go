//go:build lab

package lab

import "time"

func conferenceFlows() []Scenario {
	return []Scenario{
		{
			Name: "dial-g-conference", Title: "Dial with G: 143 answers, and both go on to a conference",
			Scripts: map[string]string{"143": "ring:1|answer|wait:6|hangup"},
			Calls:   []Call{flow("79031000671", "03", "wait:4|hangup", inbound("79031000671", "143|593|503", "answered", NotJudged))},
		},
		{
			Name: "conference-named", Title: "141 and 142 dial 531, a conference whose room is called standup",
			Uses: []string{"standup"},
			Calls: []Call{{Phone: "141", Dial: "531", Script: "wait:6|hangup", Want: internal("141", "531", "answered", NotJudged).audio(0)},
				{After: time.Second, Phone: "142", Dial: "531", Script: "wait:3|hangup", Want: internal("142", "531", "answered", NotJudged).audio(0)}},
		},
		{
			Name: "conference-pin", Title: "143 and a caller come into a conference by its PIN",
			Uses: []string{"board-room"},
			Calls: []Call{{Phone: "143", Dial: "532", Script: "wait:2|dtmf:2468#|wait:10|hangup", Want: internal("143", "532", "answered", NotJudged).audio(0)},
				{After: time.Second, Trunk: "trunk-a", From: "79031000672", Dial: "74951234832", Script: "wait:2|dtmf:2468#|wait:5|hangup",
					Want: inbound("79031000672", "532", "answered", NotJudged).audio(0)}},
		},
		{
			Name: "conference-kicked", Title: "144 and 145 dial 531; a CRM kicks 145 out",
			Uses: []string{"standup"},
			Acts: []Act{{After: 4 * time.Second, Do: "kick PJSIP/145- standup"}},
			Calls: []Call{{Phone: "144", Dial: "531", Script: "wait:7|hangup", Want: internal("144", "531", "answered", NotJudged).audio(0)},
				{After: time.Second, Phone: "145", Dial: "531", Script: "wait:20", Want: internal("145", "531", "answered", NotJudged).audio(0)}},
		},
		{
			Name: "conference-leader", Title: "146 waits for its leader, 147, who comes and leaves: the room is closed",
			Uses: []string{"leaders"},
			Calls: []Call{{Phone: "146", Dial: "533", Script: "wait:30", Want: internal("146", "533", "answered", NotJudged).audio(0)},
				{After: 2 * time.Second, Phone: "147", Dial: "534", Script: "wait:9|hangup", Want: internal("147", "534", "answered", NotJudged).audio(0)}},
		},
	}
}

func otherFlows() []Scenario {
	return []Scenario{
		{
			Name: "bot", Title: "a voice bot (AudioSocket) answers and hangs up after 3 s", Not: noAudioSocket,
			Calls: []Call{flow("79031000681", "22", "wait:20", inbound("79031000681", "522", "no_answer", 0))},
		},
		{
			Name: "bot-caller-hangs-up", Title: "a voice bot (AudioSocket) listens, the caller hangs up", Not: noAudioSocket,
			Calls: []Call{flow("79031000682", "23", "wait:3|hangup", inbound("79031000682", "523", "cancelled", 0))},
		},
		{
			Name: "bot-then-operator", Title: "a voice bot is dialled and hangs up after 3 s, then 146 is rung and answers", Not: noAudioSocket,
			Scripts: map[string]string{"146": "ring:1|answer|wait:2|hangup"},
			Calls:   []Call{flow("79031000683", "24", "wait:30", inbound("79031000683", "146", "answered", 2))},
		},
		{
			Name: "disa", Title: "DISA: somebody outside dials in, and on to a number outside, which answers",
			Scripts: map[string]string{"89161000604": "ring:1|answer|wait:3|hangup"},
			Calls:   []Call{flow("79031000684", "35", "wait:2|dtmf:89161000604|wait:20", inbound("79031000684", "89161000604", "answered", 3))},
		},
		{
			Name: "page", Title: "141 dials 536: Page rings 151 and 152, who answer",
			Scripts: map[string]string{"151": "answer|wait:20", "152": "answer|wait:20"},
			Calls: []Call{{Phone: "141", Dial: "536", Script: "wait:4|hangup",
				Want: internal("141", "536|151|152", "answered", NotJudged).audio(0)}},
		},
		{
			Name: "out-short-number", Title: "142 calls 02, a short number of the town",
			Scripts: map[string]string{"02": "ring:1|answer|wait:2|hangup"},
			Calls:   []Call{{Phone: "142", Dial: "02", Script: "wait:20", Want: outbound("142", "02", "answered", 2).audio(0)}},
		},
		{
			Name: "out-answered-first", Title: "143 calls outside by 3, where the PBX answers before it dials; 143 hangs up while it rings",
			Scripts: map[string]string{"89161000685": "ring:30"},
			Calls: []Call{{Phone: "143", Dial: "389161000685", Script: "wait:3|hangup",
				Want: outbound("143", "389161000685|89161000685", "cancelled", 0).audio(0)}},
		},
		{
			Name: "out-sip-uri", Title: "144 calls outside by 4, a dial string with a SIP URI; answered",
			Scripts: map[string]string{"89161000686": "ring:1|answer|wait:2|hangup"},
			Calls: []Call{{Phone: "144", Dial: "489161000686", Script: "wait:20",
				Want: outbound("144", "489161000686|89161000686", "answered", 2).audio(0)}},
		},
		{
			Name: "crossing", Title: "145 calls 146 and 146 calls 145 at the same moment: 146 answers, 145 declines",
			Scripts: map[string]string{"146": "ring:1|answer|wait:20", "145": "ring:2|decline"},
			Calls: []Call{{Phone: "145", Dial: "146", Script: "wait:3|hangup", Want: internal("145", "146", "answered", 3).audio(0)},
				{Phone: "146", Dial: "145", Script: "wait:20", Want: internal("146", "145", "busy", 0)}},
		},
		{
			Name: "in-302-mobile", Title: "inbound to 154, whose phone forwards (302) to a mobile outside; answered",
			Scripts: map[string]string{"154": "redirect:sip:489161000687@127.0.2.1", "89161000687": "ring:1|answer|wait:3|hangup"},
			Calls: []Call{{Trunk: "trunk-a", From: "79031000687", Dial: "74951234954", Script: "wait:20",
				Want: inbound("79031000687", "154", "answered", 3).audio(0)}},
		},
	}
}

// noAudioSocket is where the bots cannot be played.
var noAudioSocket = map[string]string{"16": "Debian's Asterisk 16 has no AudioSocket"}
