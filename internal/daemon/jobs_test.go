package daemon_test

import (
	"github.com/voipd/voipd/internal/api"
	"github.com/voipd/voipd/internal/repair"
	"github.com/voipd/voipd/internal/retention"
	"github.com/voipd/voipd/internal/webhook"
	"github.com/voipd/voipd/store"
)

// Each part of voipd needs one job of the store, not the whole database.
var (
	_ api.Records       = store.CallRecords{}
	_ api.Changes       = store.ChangeLog{}
	_ webhook.Store     = store.ChangeLog{}
	_ repair.Marks      = store.GapList{}
	_ repair.Ranks      = store.CallRecords{}
	_ repair.Quarantine = store.Journals{}
	_ retention.Store   = store.Retention{}
)
