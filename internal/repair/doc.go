// Package repair makes good what voipd missed, from what Asterisk wrote down
// itself: it notes each gap, and when the gap is over, and once a day for the
// last two days, reads the CEL and CDR of that time. Import does the same once,
// for years.
//
//	repair.go    which stretches of time have to be read, and when
//	find.go      recordings that CEL and CDR do not know
//	leapt.go     calls in which the PBX's clock was set
//	gaps.go      gaps on the disk; how long voipd itself did not run
//	import.go    all there is, once, from where the last import stopped
package repair
