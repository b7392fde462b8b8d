package webhook_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/internal/webhook"
	"github.com/voipd/voipd/store"
)

// serve lets an app listen on a network in memory, and gives the way to it.
func serve(t *testing.T, app http.Handler) (*http.Transport, func()) {
	t.Helper()
	network := newPipes()
	server := &http.Server{Handler: app}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(network) }() // it ends because it is closed
	way := &http.Transport{DialContext: network.dial}
	return way, func() { way.CloseIdleConnections(); server.Close(); network.Close(); <-done }
}

// waitEmpty waits, in the bubble's time, until nothing waits in the outbox.
func waitEmpty(t *testing.T, db *store.DB, within time.Duration) time.Duration {
	t.Helper()
	began := time.Now()
	tick := time.NewTicker(15 * time.Minute)
	defer tick.Stop()
	for {
		synctest.Wait()
		o, err := db.Outbox(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if o.Waiting == 0 {
			return time.Since(began)
		}
		if time.Since(began) > within {
			t.Fatalf("after %v %d deliveries wait still", within, o.Waiting)
		}
		<-tick.C
	}
}

// TestTenThousandRecordsThroughBadDays: the app fails three times in ten in
// every way, is away for a day, and put up anew for some minutes and for an hour, in
// which it answers as if it were none. Nothing is parked. Each event arrives, of each call in order,
// and twice only under the same id and with the same bytes.
func TestTenThousandRecordsThroughBadDays(t *testing.T) {
	const records, corrected = 10_000, 2_000
	synctest.Test(t, func(t *testing.T) {
		app := newReceiver(t)
		away := time.Now().Add(10 * time.Minute)
		bad, deploy := badDays(1, away, away.Add(24*time.Hour)), time.Now().Add(4*time.Minute)
		app.fail = func(n int, w http.ResponseWriter, req *http.Request, take func()) {
			now := time.Now()
			switch end := away.Add(25 * time.Hour); { // put up anew, at first and behind the bad day
			case now.After(deploy) && now.Before(away), now.After(end) && now.Before(end.Add(time.Hour)):
				w.WriteHeader([]int{http.StatusNotFound, http.StatusUnauthorized, http.StatusForbidden, http.StatusMovedPermanently}[n%4])
			default:
				bad(n, w, req, take)
			}
		}
		way, closeAll := serve(t, app)
		crm := webhook.Endpoint{Name: "crm", URL: "http://crm/", Secret: secret}
		db := openStore(t, dbFile(t), crm)
		stop := run(t, db, way, crm)
		tick := time.NewTicker(10 * time.Second)
		for n := 0; n < records; n += 100 {
			put(t, db, n, n+100, contract.RecordCreated)
			if n < corrected {
				put(t, db, n, n+100, contract.RecordCorrected)
			}
			<-tick.C
		}
		tick.Stop()
		waitEmpty(t, db, 72*time.Hour)
		stop()
		closeAll()
		if got := app.count(); got != records+corrected {
			t.Errorf("%d events arrived, want %d", got, records+corrected)
		}
		if app.doubles == 0 {
			t.Error("nothing came twice: the faults are not at work")
		}
		if parked, err := db.Deliveries(context.Background(), store.Parked, 0, 10); err != nil || len(parked) > 0 {
			t.Errorf("parked: %d (%v)", len(parked), err)
		}
		t.Logf("%d requests, %d doubles", app.requests(), app.doubles)
		db.Close()
	})
}

// TestASlowEndpointHoldsNoOtherUp: one endpoint never answers; the other has
// everything at once.
func TestASlowEndpointHoldsNoOtherUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app := newReceiver(t)
		way, closeAll := serve(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			if req.Host == "slow" {
				_, _ = io.Copy(io.Discard, req.Body) // else the server does not notice that the sender leaves
				linger(req, time.Hour)
				return
			}
			app.ServeHTTP(w, req)
		}))
		fast := webhook.Endpoint{Name: "fast", URL: "http://fast/", Secret: secret}
		slow := webhook.Endpoint{Name: "slow", URL: "http://slow/", Secret: secret}
		db := openStore(t, dbFile(t), slow, fast)
		stop := run(t, db, way, slow, fast)
		began := time.Now()
		put(t, db, 0, 500, contract.RecordCreated)
		synctest.Wait()
		if took := time.Since(began); app.count() != 500 || took > time.Second {
			t.Errorf("the fast one got %d events in %v, want 500 at once", app.count(), took)
		}
		stop()
		closeAll()
		db.Close()
	})
}

// TestWhatIsPointlessExpires: the app is away for an hour. What rang then is
// not told any more; the end, the record and what rings now are.
func TestWhatIsPointlessExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app := newReceiver(t)
		back := time.Now().Add(time.Hour)
		app.fail = func(_ int, w http.ResponseWriter, _ *http.Request, take func()) {
			if time.Now().Before(back) {
				cut(w)
				return
			}
			take()
		}
		way, closeAll := serve(t, app)
		crm := webhook.Endpoint{Name: "crm", URL: "http://crm/", Secret: secret}
		db := openStore(t, dbFile(t), crm)
		stop := run(t, db, way, crm)
		put(t, db, 0, 20, contract.CallStarted, contract.CallAnswered, contract.CallEnded, contract.RecordCreated)
		waitEmpty(t, db, 2*time.Hour)
		put(t, db, 20, 21, contract.CallStarted)
		synctest.Wait()
		stop()
		closeAll()
		if app.requests() > 20*4+150 { // one try a minute while it is away, after the first ones
			t.Errorf("%d requests: it is not left alone while it is away", app.requests())
		}
		if got := app.count(); got != 2*20+1 {
			t.Errorf("%d events arrived, want the ends and records of 20 calls and one ring", got)
		}
		expired, err := db.Deliveries(context.Background(), store.Expired, 0, 100)
		if err != nil || len(expired) != 40 {
			t.Errorf("%d expired (%v), want 40", len(expired), err)
		}
		db.Close()
	})
}

// TestAnswers: what each answer means for the event, and for the next one of
// the call.
func TestAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		state  store.DeliveryState // of the first event, after a second
		status int
		text   string
		next   time.Duration // at least so long until the next try
		second store.DeliveryState
	}{
		"taken": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }, store.Delivered, 204, "", 0, store.Delivered},
		"not for it": {func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "no such call", http.StatusUnprocessableEntity)
		}, store.Parked, 422, "no such call\n", 0, store.Parked},
		"not there": {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no such page", http.StatusNotFound) }, store.DeliveryWaiting, 404, "no such page\n", 0, store.DeliveryWaiting},
		"locked":    {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) }, store.DeliveryWaiting, 401, "", 0, store.DeliveryWaiting},
		"gone":      {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(410) }, store.Parked, 410, "", 0, store.Parked},
		"moved": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://elsewhere/", http.StatusTemporaryRedirect)
		}, store.DeliveryWaiting, 307, "redirects are not followed: http://elsewhere/", 0, store.DeliveryWaiting},
		"its own timeout": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(408) }, store.DeliveryWaiting, 408, "", 0, store.DeliveryWaiting},
		"broken":          {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }, store.DeliveryWaiting, 503, "", 0, store.DeliveryWaiting},
		"asks for an hour": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "3600")
			w.WriteHeader(429)
		}, store.DeliveryWaiting, 429, "", 59 * time.Minute, store.DeliveryWaiting},
		"endless": {func(w http.ResponseWriter, _ *http.Request) { endless(w) }, store.Delivered, 200, "", 0, store.Delivered},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				way, closeAll := serve(t, c.answer)
				crm := webhook.Endpoint{Name: "crm", URL: "http://crm/", Secret: secret}
				db := openStore(t, dbFile(t), crm)
				stop := run(t, db, way, crm)
				put(t, db, 0, 1, contract.CallEnded, contract.RecordCreated)
				began := time.Now()
				synctest.Wait()
				stop()
				closeAll()
				list, err := db.Deliveries(context.Background(), "", 0, 10)
				if err != nil || len(list) != 2 {
					t.Fatalf("%d deliveries (%v)", len(list), err)
				}
				first, second := list[1], list[0]
				if first.State != c.state || first.Status != c.status || c.text != "" && first.Answer != c.text || second.State != c.second {
					t.Errorf("got %s %d %q, then %s", first.State, first.Status, first.Answer, second.State)
				}
				if len(first.Answer) > 600 {
					t.Errorf("%d bytes of the answer are kept", len(first.Answer))
				}
				if first.State == store.DeliveryWaiting && first.Next.Sub(began) < c.next {
					t.Errorf("tries again after %v, want at least %v", first.Next.Sub(began), c.next)
				}
				db.Close()
			})
		})
	}
}

// endless answers more than anybody wants to read.
func endless(w http.ResponseWriter) {
	block := make([]byte, 64<<10)
	for range 100 {
		if _, err := w.Write(block); err != nil {
			return
		}
	}
}

// TestKilled: the worker is stopped in the middle of everything, many times,
// and goes on with the same file.
func TestKilled(t *testing.T) {
	app := newReceiver(t)
	reached := make(chan struct{}, 10_000)
	app.taken = reached
	app.fail = func(n int, w http.ResponseWriter, _ *http.Request, take func()) {
		switch {
		case n < 400 && n%5 == 0:
			take()
			cut(w)
		case n < 400 && n%5 == 1:
			w.WriteHeader(500)
		default:
			take()
		}
	}
	server := httptest.NewServer(app)
	defer server.Close()
	crm := webhook.Endpoint{Name: "crm", URL: server.URL, Secret: secret}
	path := dbFile(t)
	db := openStore(t, path, crm)
	put(t, db, 0, 300, contract.RecordCreated, contract.RecordCorrected)
	timeout := time.After(time.Minute)
	for taken, round := 0, 0; taken < 600; round++ {
		stop := run(t, db, nil, crm)
		for upTo := min(taken+40, 600); taken < upTo; taken++ {
			select {
			case <-reached:
			case <-timeout:
				t.Fatalf("only %d events arrived", taken)
			}
		}
		if round%2 == 0 { // every other time nothing of what is under way is noted
			stop()
			db.Close()
		} else {
			db.Close()
			stop()
		}
		db = openStore(t, path, crm)
		if err := db.Hasten(context.Background(), "crm", time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	db.Close()
	if app.doubles == 0 {
		t.Error("nothing came twice: the faults are not at work")
	}
}
