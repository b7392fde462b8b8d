// Package backfill tells a record.Machine what Asterisk wrote down of calls:
// CEL and CDR rows become the same record.Events that a live source states, so
// that no second interpretation of calls exists.
//
//	layout.go     which columns a row has, and what its times mean
//	csv.go        rows of a CSV file; a bad one costs only itself
//	cel.go        CEL rows, put in the order of their times
//	celcalls.go   CEL rows → Events
//	celrings.go   what CEL leaves out: who was rung by whom
//	celbare.go    rows of which a column or a kind is missing
//	cdr.go        CDR rows, put together by call
//	cdrcall.go    the rows of one call → Events
//	cdrmend.go    what the rows of one call say together
//	source.go     where rows are; a stretch of time that is read
//	file.go       a stretch of a CSV file; leaps.go: where a clock was set ahead
//	database.go   a stretch of a table; bounds.go: so that calls are whole
//	dialect.go    how databases differ; axis.go: how columns keep times
//	records.go    a source → records, by a Machine
//
// What neither can tell is in docs/tellers.md.
package backfill
