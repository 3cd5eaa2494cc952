package notify

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/dial"
	"github.com/ombudhq/ombud/internal/event"
	"github.com/ombudhq/ombud/internal/fault"
)

// TestOwnNetworkIsNotReached: a webhook goes through the guard of every connection that leaves. What the guard refuses is
// tested where it is.
func TestOwnNetworkIsNotReached(t *testing.T) {
	var connections atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.Config.ConnState = func(net.Conn, http.ConnState) { connections.Add(1) }
	server.Start()
	defer server.Close()
	c := NewClient(clock.System{}, "ombud/test")
	defer c.Close()
	port := server.URL[strings.LastIndex(server.URL, ":"):]
	send := func(url string, private bool, peer dial.Peer) error {
		w, err := c.Webhook(Endpoint{URL: url, Secrets: []string{knownSecret}, Private: private, Peer: peer})
		if err != nil {
			t.Fatal(err)
		}
		return w.Send(t.Context(), event.Message{ID: "prp_1", Payload: event.Payload{Data: []byte("{}")}})
	}
	var f *event.Failure
	for _, peer := range []dial.Peer{{}, {Pins: []string{"sha256/" + strings.Repeat("A", 43) + "="}}} {
		for _, host := range []string{"127.0.0.1", "localhost", "2130706433", "[::ffff:127.0.0.1]"} {
			if err := send("https://"+host+port, false, peer); !errors.As(err, &f) || f.Refused {
				t.Errorf("%s: %v", host, err)
			}
		}
	}
	if n := connections.Load(); n != 0 {
		t.Errorf("%d connections", n)
	}
	if err := send("http://localhost"+port, true, dial.Peer{}); err != nil || connections.Load() == 0 {
		t.Errorf("an allowed connection: %v, %d seen", err, connections.Load())
	}
}

// TestPeerOfAWebhook: what is wrong with a peer is named with what else is wrong.
func TestPeerOfAWebhook(t *testing.T) {
	_, err := NewClient(clock.System{}, "ombud/test").Webhook(Endpoint{URL: "ftp://x", Secrets: []string{knownSecret}, Peer: dial.Peer{CA: "/nowhere"}})
	var f *fault.Error
	if !errors.As(err, &f) || len(f.Details) != 2 {
		t.Errorf("%v", err)
	}
}
