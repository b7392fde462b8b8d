package webhook_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/internal/webhook"
)

// after waits in the bubble's time.
func after(d time.Duration) {
	wait := time.NewTimer(d)
	<-wait.C
	synctest.Wait()
}

// TestBackAgain: an app that was away for long is asked now and then, and has
// everything soon after it is back.
func TestBackAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app := newReceiver(t)
		back := time.Now().Add(6 * time.Hour)
		app.fail = func(_ int, w http.ResponseWriter, _ *http.Request, take func()) {
			if time.Now().Before(back) {
				w.WriteHeader(http.StatusBadGateway)
				return
			}
			take()
		}
		way, closeAll := serve(t, app)
		crm := webhook.Endpoint{Name: "crm", URL: "http://crm/", Secret: secret}
		db := openStore(t, dbFile(t), crm)
		stop := run(t, db, way, crm)
		put(t, db, 0, 100, contract.CallEnded, contract.RecordCreated)
		after(6*time.Hour - time.Second)
		if app.requests() > 6*60*3 {
			t.Errorf("%d requests while it was away", app.requests())
		}
		after(2 * time.Minute)
		stop()
		closeAll()
		if got := app.count(); got != 200 {
			t.Errorf("%d of 200 events two minutes after it is back", got)
		}
		db.Close()
	})
}

// TestRetryAfterIsForAll: an app that asks for a pause gets nothing at all until
// it is over.
func TestRetryAfterIsForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app := newReceiver(t)
		app.fail = func(n int, w http.ResponseWriter, _ *http.Request, take func()) {
			if n == 1 {
				w.Header().Set("Retry-After", "90")
				w.WriteHeader(http.StatusTooManyRequests)
				return
			}
			take()
		}
		way, closeAll := serve(t, app)
		crm := webhook.Endpoint{Name: "crm", URL: "http://crm/", Secret: secret}
		db := openStore(t, dbFile(t), crm)
		stop := run(t, db, way, crm)
		put(t, db, 0, 1, contract.RecordCreated)
		after(time.Second)
		put(t, db, 1, 2, contract.RecordCreated)
		after(88 * time.Second)
		if app.requests() != 1 {
			t.Errorf("%d requests in the pause", app.requests())
		}
		after(2 * time.Second)
		stop()
		closeAll()
		if got := app.count(); got != 2 {
			t.Errorf("%d of 2 events after the pause", got)
		}
		db.Close()
	})
}

// TestGivenUp: what is not taken for max_age is parked, not tried for ever.
func TestGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		way, closeAll := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }))
		crm := webhook.Endpoint{Name: "crm", URL: "http://crm/", Secret: secret, MaxAge: 24 * time.Hour}
		db := openStore(t, dbFile(t), crm)
		stop := run(t, db, way, crm)
		put(t, db, 0, 50, contract.RecordCreated, contract.RecordCorrected)
		after(23 * time.Hour)
		if o, err := db.Outbox(t.Context()); err != nil || o.Waiting != 100 {
			t.Errorf("%+v (%v) after 23 hours", o, err)
		}
		after(2 * time.Hour)
		stop()
		closeAll()
		if o, err := db.Outbox(t.Context()); err != nil || o.Parked != 100 || o.Waiting != 0 {
			t.Errorf("%+v (%v) after 25 hours", o, err)
		}
		db.Close()
	})
}
