// Package clients holds no code: its tests run the examples of docs/clients.md, and
// a generated client, against a whole voipd on the fake PBX.
package clients
