//go:build lab

package lab

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gorilla/websocket"
)

// ariEvents listens as the application app and hands each event to each, from
// one goroutine, until the returned function is called.
func ariEvents(ctx context.Context, app string, everything bool, each func([]byte)) (stop func(), err error) {
	query := url.Values{"app": {app}, "api_key": {voipdUser + ":" + voipdSecret}, "subscribeAll": {fmt.Sprint(everything)}}
	conn, _, err := websocket.DefaultDialer.DialContext(ctx, strings.Replace(pbxARI, "http", "ws", 1)+"/events?"+query.Encode(), nil)
	if err != nil {
		return nil, fmt.Errorf("ARI websocket: %w", err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			_, text, err := conn.ReadMessage()
			if err != nil {
				return // closed
			}
			each(text)
		}
	}()
	return func() { conn.Close(); <-done }, nil
}

// ariPost does a POST, or a DELETE where the path begins with "-".
func ariPost(ctx context.Context, path string, query url.Values) error {
	method := http.MethodPost
	if rest, del := strings.CutPrefix(path, "-"); del {
		method, path = http.MethodDelete, rest
	}
	req, err := http.NewRequestWithContext(ctx, method, pbxARI+path+"?"+query.Encode(), nil)
	if err != nil {
		return fmt.Errorf("ARI: %w", err)
	}
	req.SetBasicAuth(voipdUser, voipdSecret)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("ARI: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode >= 300 {
		text, _ := io.ReadAll(io.LimitReader(res.Body, 1000)) // the status says enough
		return fmt.Errorf("ARI %s: %s %s", path, res.Status, text)
	}
	return nil
}

// ariOriginate has the PBX begin the call by ARI, into the dialplan.
func (o *Office) ariOriginate(ctx context.Context, c Call) error {
	return ariPost(ctx, "/channels", url.Values{"endpoint": {c.Originate}, "extension": {c.Dial}, "context": {"from-internal"},
		"priority": {"1"}, "callerId": {c.Dial}, "timeout": {"5"}})
}

// stasis plays a call without dialplan: an ARI application rings c.Originate
// and, when that answers, c.Dial; it then bridges the two, and ends both when
// one of them goes.
func (o *Office) stasis(ctx context.Context, c Call) error {
	const app = "lab-crm"
	events := make(chan stasisEvent, 256)
	stop, err := ariEvents(ctx, app, false, func(text []byte) {
		var e stasisEvent
		if json.Unmarshal(text, &e) == nil {
			events <- e
		}
	})
	if err != nil {
		return err
	}
	if err := ariPost(ctx, "/channels", url.Values{"endpoint": {c.Originate}, "app": {app}, "timeout": {"6"}}); err != nil {
		stop()
		return err
	}
	go func() {
		ctx, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		defer stop()
		if err := runStasis(ctx, app, c, events); err != nil {
			fmt.Printf("lab: the Stasis application: %v\n", err) // the record shows the rest
		}
	}()
	return nil
}

type stasisEvent struct {
	Type    string `json:"type"`
	Channel struct {
		ID string `json:"id"`
	} `json:"channel"`
}

func runStasis(ctx context.Context, app string, c Call, events <-chan stasisEvent) error {
	var legs []string
	for {
		var e stasisEvent
		select {
		case e = <-events:
		case <-ctx.Done():
			return ctx.Err()
		}
		switch e.Type {
		case "StasisStart":
			legs = append(legs, e.Channel.ID)
			if err := stasisLeg(ctx, app, c, legs); err != nil {
				return err
			}
		case "StasisEnd", "ChannelDestroyed":
			for _, id := range legs {
				if id != e.Channel.ID {
					_ = ariPost(ctx, "-/channels/"+id, nil) // it may be gone already
				}
			}
			_ = ariPost(ctx, "-/bridges/"+app, nil) // there is none if they never talked
			return nil
		}
	}
}

// stasisLeg goes on when a leg was answered.
func stasisLeg(ctx context.Context, app string, c Call, legs []string) error {
	if len(legs) == 1 {
		return ariPost(ctx, "/channels", url.Values{"endpoint": {c.Dial}, "app": {app}, "originator": {legs[0]}, "timeout": {"6"}})
	}
	if err := ariPost(ctx, "/bridges/"+app, url.Values{"type": {"mixing"}}); err != nil {
		return err
	}
	return ariPost(ctx, "/bridges/"+app+"/addChannel", url.Values{"channel": {strings.Join(legs, ",")}})
}
