// Package lab is a laboratory: a small office on a real Asterisk, and the
// people who call it, over real SIP on loopback addresses.
//
// Two instances of one Debian-packaged Asterisk run in a chroot: "pbx" is the
// office (conf/pbx), "net" plays its phones and the telephone network
// (conf/net). A [Scenario] says what the phones do and which records must
// come of it, by the rules of what a record says, never by what voipd said. The runner plays
// the scenarios, lets freshly built voipds watch them over AMI and over ARI, and
// compares what they tell over HTTP, field by field.
//
// Everything but this file, what judges records and the test that replays golden
// captures carries the build tag lab, because it needs root
// and a Debian machine: go test -tags lab ./lab. See README.md beside it.
package lab
