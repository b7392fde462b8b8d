// Package brix holds no code: its tests run the app's telephony module, voip.ts,
// in Node against a whole voipd beside a fake PBX.
package brix
