package app

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/once"
)

// keepReplies is how long a key is remembered.
const keepReplies = 7 * 24 * time.Hour

const replayLabel = "http-reply" // of the vault: seals answers, and tokens of what was asked

const replaySchema = `create table http_replies (
	key text primary key,
	asked text not null,
	at bigint not null,
	reply bytea not null
);
create index http_replies_at on http_replies (at)`

var replyRows = db.NewTable("http_replies", db.Column{Name: "key", Type: "text"}, db.Column{Name: "asked", Type: "text"},
	db.Column{Name: "at", Type: "bigint"}, db.Column{Name: "reply", Type: "bytea"})

// replays remembers the answers to requests with an Idempotency-Key, so that a client that got none may ask again
// and act once. A key belongs to its caller: nobody gets the answers of another. The same key for something else is refused;
// a server error is not remembered. Answers lie sealed.
//
// What an act comes to is kept in its own transaction (package once), and the answer behind it: where a kill comes between the
// two, who asks again is answered from the act.
type replays struct {
	app *App

	mu    sync.Mutex
	under map[string]bool // keys being answered
}

// replyRecord is one remembered answer, or an act without one.
type replyRecord struct {
	Code   int             `json:"code"`
	Header http.Header     `json:"header"`
	Body   []byte          `json:"body"`
	Act    json.RawMessage `json:"act,omitempty"` // what it came to; there is no answer then
}

func newReplays(ctx context.Context, a *App) (*replays, error) {
	return &replays{app: a, under: map[string]bool{}}, a.DB.Migrate(ctx, "http-replies", replaySchema)
}

// around answers what was answered before, and remembers what is answered now.
func (p *replays) around(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given := header(r, "Idempotency-Key")
		if given == "" || r.Method != http.MethodPost {
			next.ServeHTTP(w, r)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			refuse(w, r, http.StatusRequestEntityTooLarge, "the body is too large, or was cut off", "")
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		caller := access.From(r.Context())
		key, asked := p.token([]byte("key"), []byte(caller.Actor), []byte(given)), p.token([]byte(r.URL.Path), body)
		if !p.claim(key) {
			w.Header().Set("Retry-After", "1")
			refuse(w, r, http.StatusConflict, "the first request with this key is still being answered", "Ask again in a moment.")
			return
		}
		defer p.free(key)
		p.answer(w, r, next, key, asked)
	})
}

func (p *replays) answer(w http.ResponseWriter, r *http.Request, next http.Handler, key, asked string) {
	before, old, err := p.find(r.Context(), key)
	switch {
	case err != nil:
		refuse(w, r, http.StatusServiceUnavailable, "the store does not answer", "")
	case old != nil && before != asked:
		refuse(w, r, http.StatusConflict, "this key was used for another request", "")
	case old != nil && old.Act == nil:
		w.Header().Set("Idempotent-Replayed", "true")
		old.write(w)
	case old != nil && p.app.DB.Write(r.Context(), func(*db.Tx) error { return nil }) != nil:
		refuse(w, r, http.StatusServiceUnavailable, "the store does not answer", "") // the act may not be kept outside yet
	default:
		call := &once.Call{Keep: func(tx *db.Tx, outcome []byte) error { return p.keepAct(tx, key, asked, outcome) }}
		if old != nil {
			call.Before = old.Act
		}
		p.act(w, r, next, call, key, asked)
	}
}

// act passes a request on, and remembers its answer.
func (p *replays) act(w http.ResponseWriter, r *http.Request, next http.Handler, call *once.Call, key, asked string) {
	c := &capture{header: http.Header{}, code: http.StatusOK}
	next.ServeHTTP(c, r.WithContext(once.With(r.Context(), call)))
	now := &replyRecord{Code: c.code, Header: c.header, Body: c.body.Bytes()}
	if c.code < http.StatusInternalServerError && (call.Before == nil || call.Recalled) {
		if err := p.keep(context.WithoutCancel(r.Context()), key, asked, now); err != nil {
			p.app.cfg.Log.Error("an answer could not be remembered", "error", err)
		}
	}
	if call.Recalled {
		w.Header().Set("Idempotent-Replayed", "true")
	}
	now.write(w)
}

// token binds to what was asked without keeping it.
func (p *replays) token(parts ...[]byte) string {
	sum := p.app.Vault.MAC(replayLabel, parts...)
	return hex.EncodeToString(sum[:])
}

func (p *replays) claim(key string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.under[key] {
		return false
	}
	p.under[key] = true
	return true
}

func (p *replays) free(key string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.under, key)
}

func (p *replays) find(ctx context.Context, key string) (asked string, old *replyRecord, err error) {
	var sealed []byte
	var at int64
	err = p.app.DB.Read(ctx, func(tx *db.Tx) error {
		return tx.QueryRow(ctx, `select asked, at, reply from http_replies where key = $1`, key).Scan(&asked, &at, &sealed)
	})
	if errors.Is(err, db.ErrNoRows) {
		return "", nil, nil
	}
	if err != nil {
		return "", nil, err
	}
	if at <= p.app.cfg.Clock.Now().Add(-keepReplies).UnixMilli() {
		return "", nil, p.app.expireReplies(ctx)
	}
	b, err := p.app.Vault.Open(replayLabel, []byte(key), sealed)
	if err != nil {
		return "", nil, err
	}
	old = &replyRecord{}
	return asked, old, json.Unmarshal(b, old)
}

// keep remembers an answer, in the place of the act.
func (p *replays) keep(ctx context.Context, key, asked string, r *replyRecord) error {
	sealed, err := p.seal(key, r)
	if err != nil {
		return err
	}
	return p.app.DB.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, `insert into http_replies (key, asked, at, reply) values ($1, $2, $3, $4)
			on conflict (key) do update set asked = excluded.asked, at = excluded.at, reply = excluded.reply`, key, asked, p.now(), sealed)
		return err
	})
}

// keepAct remembers what an act comes to, with the rows of all who act in the same commit.
func (p *replays) keepAct(tx *db.Tx, key, asked string, outcome []byte) error {
	sealed, err := p.seal(key, &replyRecord{Act: outcome})
	if err != nil {
		return err
	}
	return tx.Insert(replyRows, db.OfText(key), db.OfText(asked), db.OfInt(p.now()), db.OfBlob(sealed))
}

func (p *replays) now() int64 { return p.app.cfg.Clock.Now().UnixMilli() }

func (p *replays) seal(key string, r *replyRecord) ([]byte, error) {
	b, err := json.Marshal(r)
	return p.app.Vault.Seal(replayLabel, []byte(key), b), err
}

// expireReplies deletes the answers whose time is over.
func (a *App) expireReplies(ctx context.Context) error {
	return a.DB.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, `delete from http_replies where at <= $1`, a.cfg.Clock.Now().Add(-keepReplies).UnixMilli())
		return err
	})
}

func (r *replyRecord) write(w http.ResponseWriter) {
	for k, v := range r.Header {
		w.Header()[k] = v
	}
	w.WriteHeader(r.Code)
	_, _ = w.Write(r.Body)
}

// capture holds an answer back until it is remembered.
type capture struct {
	header http.Header
	code   int
	body   bytes.Buffer
}

func (c *capture) Header() http.Header         { return c.header }
func (c *capture) WriteHeader(code int)        { c.code = code }
func (c *capture) Write(b []byte) (int, error) { return c.body.Write(b) }
