package record

import (
	"cmp"
	"slices"
	"time"
)

// This file decides between two accounts of one call: the record that is kept,
// and one that CEL or CDR tells later.

// Verdict says what an account of a call is worth beside the record that is
// kept.
type Verdict uint8

// The verdicts.
const (
	Keep    Verdict = iota // the kept record stays as it is
	Add                    // no record of the call is kept: the account becomes it
	Replace                // the merged record replaces the kept one
)

// Rank orders the accounts of one call: the lower, the better. A live source
// (AMI, ARI) outranks CEL, which outranks CDR. Every account without doubts
// outranks every approximate one. One that does not know the outcome comes
// last. The numbers are on users' disks and do not change.
type Rank int

// ApproximateRank is the lowest rank of an approximate account.
const ApproximateRank Rank = 11

// Approximate tells whether accounts of this rank are approximate.
func (k Rank) Approximate() bool { return k >= ApproximateRank }

// Rank is the rank of the record as an account of its call.
func (r *Record) Rank() Rank {
	k := Rank(18)
	switch r.Details.Source {
	case SourceAMI.String(), SourceARI.String():
		k = 2
	case SourceCEL.String():
		k = 4
	case SourceCDR.String():
		k = 6
	}
	if len(r.Details.Approximate) > 0 {
		k += ApproximateRank - 2 // behind the last exact account
	}
	if r.Disposition == Unknown {
		k += 20
	}
	return k
}

// Merge decides what becomes of the kept record of a call when an account of
// the same call is told, and gives the record that is then to be kept. A zero
// kept: there is none. doubles are calls that the account says went into this
// one, and that still have a record of their own.
//
// It changes neither record. Merging the same account again gives Keep, once
// the doubles are gone.
func Merge(kept, told Record, doubles []string) (Verdict, Record) {
	standing, n := compare(kept, told), news(kept, told, doubles)
	for _, row := range mergeTable() {
		if row.standing == standing && (row.news == 0 || row.news&n != 0) {
			return row.verdict, row.record(kept, told, doubles)
		}
	}
	return Keep, kept
}

// standing is how the kept record ranks beside the account.
type standing uint8

const (
	absent standing = iota // there is no kept record
	exact                  // it outranks the account, and is not approximate
	vague                  // it outranks the account, but is approximate
	equal
	worse // the account outranks it
)

func compare(kept, told Record) standing {
	switch had, rank := kept.Rank(), told.Rank(); {
	case kept.CallID == "":
		return absent
	case had == rank:
		return equal
	case had > rank:
		return worse
	case had.Approximate():
		return vague
	}
	return exact
}

// newsSet is what an account says that the kept record does not.
type newsSet uint8

const (
	says  newsSet = 1 << iota // another value of a field, and not only because it was read from a later moment on
	finds                     // a recording that was found on the disk
	joins                     // a call with a record of its own went into this one
)

func news(kept, told Record, doubles []string) (n newsSet) {
	if !told.Details.StartedAt.After(kept.Details.StartedAt) && !same(kept, told) {
		n |= says
	}
	if !sameIDs(kept.Details.Recordings, withFound(kept, told)) {
		n |= finds
	}
	if len(doubles) > 0 {
		n |= joins
	}
	return n
}

// mergeRow is one row of mergeTable.
type mergeRow struct {
	standing standing
	news     newsSet // at least one of these; 0: whatever is new
	verdict  Verdict
	record   func(kept, told Record, doubles []string) Record
}

// mergeTable is the whole decision: the first row that fits wins, and where
// none fits the kept record stays.
func mergeTable() []mergeRow {
	return []mergeRow{
		{absent, 0, Add, account},
		{worse, 0, Replace, accountWithRecordings},
		{equal, says, Replace, accountWithRecordings},
		{equal, finds, Replace, keptWithRecordings},
		{vague, finds | joins, Replace, keptWithFoundAndDoubles},
		{exact, joins, Replace, keptWithDoubles},
	}
}

// account is the account as it was told.
func account(_, told Record, _ []string) Record { return told }

// accountWithRecordings is the account, with the recordings that only the kept record
// knows.
func accountWithRecordings(kept, told Record, _ []string) Record {
	told.Details.Recordings = recordingsOf(kept, told)
	return told
}

// keptWithRecordings is the kept record with the recordings of both.
func keptWithRecordings(kept, told Record, _ []string) Record {
	kept.Details.Recordings = recordingsOf(kept, told)
	return kept
}

// keptWithDoubles is the kept record with the doubles among the calls that
// went into it.
func keptWithDoubles(kept, _ Record, doubles []string) Record {
	absorbed := slices.Concat(kept.Details.Absorbed, doubles)
	slices.Sort(absorbed)
	kept.Details.Absorbed = slices.Compact(absorbed)
	return kept
}

// keptWithFoundAndDoubles is keptWithDoubles with the recordings that only the
// account found on the disk.
func keptWithFoundAndDoubles(kept, told Record, doubles []string) Record {
	kept.Details.Recordings = withFound(kept, told)
	return keptWithDoubles(kept, told, doubles)
}

// withFound are the recordings of the kept record, and those that only the
// account found on the disk. A found file takes the place of one that is gone
// from where the PBX said it was.
func withFound(kept, told Record) []Recording {
	all := slices.Clone(kept.Details.Recordings)
	for _, rec := range told.Details.Recordings {
		i := slices.IndexFunc(all, func(o Recording) bool { return o.Stem() == rec.Stem() })
		switch {
		case !rec.Found:
		case i < 0:
			all = append(all, rec)
		case all[i].State == Gone && !all[i].Found:
			all[i] = rec
		}
	}
	return byStart(all)
}

// recordingsOf are the recordings of the account, and those of the kept record
// that the account need not know: neither CEL nor CDR has every recording that
// a live source told, and a file that was found on the disk may have gone
// since. Files of one stem are one recording: CDR names a file without its
// folder, and scripts convert files.
func recordingsOf(kept, told Record) []Recording {
	live := kept.live()
	all := slices.Clone(told.Details.Recordings)
	for _, o := range kept.Details.Recordings {
		i := slices.IndexFunc(all, func(rec Recording) bool { return rec.Stem() == o.Stem() })
		switch {
		case i < 0 && (live || o.Found):
			all = append(all, withTalk(o, told))
		case i >= 0 && o.Found: // its file was checked; a better source may know better when it began and what it holds
			o.At, o.Talk = all[i].At, all[i].Talk
			all[i] = o
		case i >= 0 && live && !(all[i].Found && o.State == Gone):
			all[i] = withTalk(o, told)
		}
	}
	return byStart(all)
}

// withTalk is a recording of the kept record as the account has it: it holds
// conversation if one of the account's ends after the recording began. A link
// that was lost before the answer showed the recording begin and nothing more.
// The file's length says nothing here: sound starts when the channel is up,
// which may be long after MixMonitor.
func withTalk(o Recording, told Record) Recording {
	o.Talk = o.Talk || slices.ContainsFunc(told.Details.Conversations, func(c Conversation) bool {
		return c.At.Add(time.Duration(c.MS) * time.Millisecond).After(o.At)
	})
	return o
}

func byStart(all []Recording) []Recording {
	slices.SortStableFunc(all, func(a, b Recording) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) })
	return all
}

func sameIDs(a, b []Recording) bool {
	return slices.EqualFunc(a, b, func(a, b Recording) bool { return a.ID == b.ID })
}
