// Package torture holds no code: its tests let calls be placed on the fake PBX
// without a pause while voipd, a process of its own, its link, its disk and the
// PBX fail at random moments, and compare in the end what voipd tells over HTTP
// with the calls that took place. "make torture" runs it for long.
//
//	go test ./internal/torture -v -seed 7 -faults 500 -for 12m
package torture
