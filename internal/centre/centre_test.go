package centre_test

import (
	"testing"

	"github.com/voipd/voipd/internal/centre"
	"github.com/voipd/voipd/internal/databases"
)

// made is the database with the centre's tables that each check has a copy of.
const made = "made"

// TestCentre is what holds on one PostgreSQL, each on a database of its own: starting the
// server and making the tables takes longer than most of it.
func TestCentre(t *testing.T) {
	t.Parallel()
	server := databases.NewPostgresServer(t)
	must(t, centre.Migrate(t.Context(), server.Database(t, made)))
	for name, check := range map[string]func(*testing.T, *databases.PostgresServer){
		"Batches":               checkBatches,
		"UnfitBatches":          checkUnfitBatches,
		"RecordsTravel":         checkRecordsTravel,
		"Restored":              checkRestored,
		"Pruned":                checkPruned,
		"ForgottenStaysAway":    checkForgottenStaysAway,
		"Gone":                  checkGone,
		"GoneTravels":           checkGoneTravels,
		"Isolation":             checkIsolation,
		"SecondWall":            checkSecondWall,
		"EveryTableHasTheWall":  checkEveryTableHasTheWall,
		"SameFace":              checkSameFace,
		"SameCallOfTwoPBXs":     checkSameCallOfTwoPBXs,
		"EventsAtCentre":        checkEventsAtCentre,
		"SessionOfEveryProcess": checkSessionOfEveryProcess,
		"Page":                  checkPage,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check(t, server)
		})
	}
}
