// Package torture lets calls be placed on a PBX without a pause while voipd, a
// process of its own, its link, its disk and the PBX fail at random moments, and
// compares in the end what voipd tells over HTTP with the calls that took place.
// Its tests do so on the fake PBX; the laboratory does it on a real Asterisk and
// takes the faults from here (storm.go, disk.go). "make torture" runs both.
//
//	go test ./internal/torture -v -seed 7 -faults 500 -for 12m
package torture
