package dial

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"time"
)

const (
	dialLimit      = 5 * time.Second
	headerLimit    = 64 << 10
	defaultAnswer  = 4 << 20
	defaultAttempt = 15 * time.Second
)

// Way says how to reach somebody. The zero Way reaches public addresses, with the authorities of this machine.
type Way struct {
	// Private allows addresses of one's own networks and of this machine.
	Private bool
	// Peer says who the other side must be, and who we are to it.
	Peer Peer
	// Attempt bounds one call from the first byte to the last; 0 is 15 seconds.
	Attempt time.Duration
	// Answer bounds the body of an answer in bytes; 0 is 4 MiB.
	Answer int64
}

// Client makes a client that goes this way and no other. fault.Invalid names what of the Peer cannot be used.
func Client(w Way) (*http.Client, error) {
	config, err := w.Peer.config()
	if err != nil {
		return nil, err
	}
	return client(w, config), nil
}

// Plain is Client for a Way without a Peer, of which nothing can be wrong.
func Plain(w Way) *http.Client { return client(w, &tls.Config{MinVersion: tls.VersionTLS12}) }

func client(w Way, config *tls.Config) *http.Client {
	if w.Attempt == 0 {
		w.Attempt = defaultAttempt
	}
	if w.Answer == 0 {
		w.Answer = defaultAnswer
	}
	transport := &http.Transport{
		DialContext: dialer(w.Private).DialContext, TLSHandshakeTimeout: dialLimit, ForceAttemptHTTP2: true, TLSClientConfig: config,
		MaxIdleConnsPerHost: 16, IdleConnTimeout: 90 * time.Second, MaxResponseHeaderBytes: headerLimit, DisableCompression: true,
	}
	return &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     &bounded{transport, w.Attempt, w.Answer},
	}
}

func dialer(private bool) *net.Dialer {
	return &net.Dialer{Timeout: dialLimit, KeepAlive: 30 * time.Second, Control: control(private)}
}

// bounded ends a call that takes longer than it may, and an answer that is longer. Client.Timeout would need two goroutines
// for each call here: it knows only a Transport of its own.
type bounded struct {
	*http.Transport
	attempt time.Duration
	most    int64
}

// RoundTrip gives an answer whose body cannot be read beyond the limit: there it ends with an error, as if the connection
// had broken.
func (b *bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, end := context.WithTimeout(r.Context(), b.attempt)
	res, err := b.Transport.RoundTrip(r.WithContext(ctx))
	if err != nil || res.Body == http.NoBody {
		end()
		return res, err
	}
	res.Body = &timed{http.MaxBytesReader(nil, res.Body, b.most), end}
	return res, nil
}

// timed is a body; with it ends the time of the call.
type timed struct {
	io.ReadCloser
	end context.CancelFunc
}

// Close closes the body.
func (t *timed) Close() error {
	defer t.end()
	return t.ReadCloser.Close()
}

// Dial opens a connection that goes this way, for a protocol that is not HTTP, and gives how it is to be encrypted: the name
// of the other side must be set. Attempt and Answer bound nothing here.
func Dial(ctx context.Context, w Way, address string) (net.Conn, *tls.Config, error) {
	config, err := w.Peer.config()
	if err != nil {
		return nil, nil, err
	}
	conn, err := dialer(w.Private).DialContext(ctx, "tcp", address)
	return conn, config, err
}
