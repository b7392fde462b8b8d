package webhook_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/internal/webhook"
	"github.com/voipd/voipd/store"
)

// TestDeliveryPanics: an event whose body makes voipd panic is parked with the
// reason, and the others go on.
func TestDeliveryPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		way, closeAll := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
		crm := webhook.Endpoint{Name: "crm", URL: "http://crm/", Secret: secret, Body: func(c *store.Change, instance string) ([]byte, error) {
			if c.CallID == "1.1" {
				panic("a body that nobody foresaw")
			}
			return webhook.Plain(c, instance)
		}}
		db := openStore(t, dbFile(t), crm)
		stop := run(t, db, way, crm)
		put(t, db, 0, 3, contract.CallEnded)
		synctest.Wait()
		stop()
		closeAll()
		list, err := db.Deliveries(context.Background(), "", 0, 10)
		if err != nil || len(list) != 3 {
			t.Fatalf("%d deliveries (%v)", len(list), err)
		}
		for _, d := range list {
			if bad := d.Change.CallID == "1.1"; bad != (d.State == store.Parked) || bad && !strings.Contains(d.Answer, "nobody foresaw") {
				t.Errorf("%s: %s %q", d.Change.CallID, d.State, d.Answer)
			}
		}
		db.Close()
	})
}
