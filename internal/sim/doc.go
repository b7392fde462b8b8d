// Package sim is a fake PBX: it speaks real AMI on a loopback port and plays calls that were captured from a real
// Asterisk. Tests use it as the other side of the AMI client, with faults; the demo uses it as a whole office.
//
// A Capture is what one AMI session received, with the time at which each piece arrived. Play sends it again to
// everyone who is logged in, as a new call of now: unique ids, channel names, bridge ids, the names and dates of
// recordings are rewritten consistently, so that one capture can be played many times, also at the same time. What
// Asterisk would show to that user is shown: classes, event mask and filters apply.
package sim
