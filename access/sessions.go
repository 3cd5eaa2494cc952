package access

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/id"
)

const (
	defaultIdle = 15 * time.Minute
	longestStay = 12 * time.Hour
	halfWay     = 10 * time.Minute // from the password to the second factor
	halvesKept  = 1000             // who is half way, at a time
)

// Stage is how far somebody has signed in.
type Stage string

// The stages. Before SignedIn nothing can be done but to go on.
const (
	Outside  Stage = ""
	AskCode  Stage = "code"   // the password was right, the second factor comes
	AskSetup Stage = "factor" // the password was right, and a second factor must be set up
	SignedIn Stage = "in"
)

// Session is a session as it may be shown.
type Session struct {
	ID      string    `json:"id"`
	Account string    `json:"account"`
	Began   time.Time `json:"began"`
	Seen    time.Time `json:"seen"`
}

// session is one in force. Those half way live in memory only: a restart asks for the password again.
type session struct {
	id, account string
	role        Role
	also        string
	person      *Attributes
	call        *Call // when it began
	whys        map[string]why
	stage       Stage
	epoch       int64
	began       int64
	seen        atomic.Int64
	stored      int64       // the seen that the store knows; only Flush touches it
	origin      []byte      // which one of an identity provider it began with; nil without one
	factor      []byte      // a second factor that is being set up, guarded by Accounts.mu
	passkey     *newPasskey // one that is being made, guarded by Accounts.mu
	mailed      *mailed     // a code that was sent, guarded by Accounts.mu
	shown       bool        // a code by e-mail was right, and is not enough
}

func (s *session) caller() Caller {
	c := Caller{Actor: accountMark + s.account, Session: s.id}
	if s.stage == SignedIn {
		c.Role, c.Also, c.person, c.call = s.role, s.also, s.person, s.call
	}
	return c
}

// of takes from the account what a session carries.
func (s *session) of(r *record) {
	s.role, s.also, s.person = r.Role, joinRoles(r.Also), &r.Attributes
	s.call = &Call{Began: time.Unix(s.began, 0).UTC()}
}

func joinRoles(roles []Role) string { return strings.ReplaceAll(listOf(roles), ", ", " ") }

func (s *session) show() Session {
	return Session{s.id, s.account, time.Unix(s.began, 0).UTC(), time.Unix(s.seen.Load(), 0).UTC()}
}

// alive tells whether a session goes on at a time.
func (s *session) alive(now int64, idle time.Duration) bool {
	if s.stage != SignedIn {
		return now < s.began+int64(halfWay/time.Second)
	}
	return now < s.seen.Load()+int64(idle/time.Second) && now < s.began+int64(longestStay/time.Second)
}

// SetIdle says after how long without a visit a session ends; it takes effect at once.
func (a *Accounts) SetIdle(d time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.idle = d
}

// Idle is after how long without a visit a session ends.
func (a *Accounts) Idle() time.Duration {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.idle
}

// Visit tells who comes with the token of a session: an account's caller, without a role while it is half way. A visit
// that a person makes, and not a page by itself, is active, and puts off the idle end.
func (a *Accounts) Visit(token string, active bool) (Caller, bool) {
	if token == "" {
		return Caller{}, false
	}
	a.mu.RLock()
	defer a.mu.RUnlock()
	s, now := a.sessions[hash(token)], a.clock.Now().Unix()
	if s == nil || !s.alive(now, a.idle) {
		return Caller{}, false
	}
	if active {
		s.seen.Store(now)
	}
	c := s.caller()
	c.Elevated = c.Role != "" && now < a.elevated[s.account]
	return c, true
}

// StageOf tells how far a caller has signed in.
func (a *Accounts) StageOf(c Caller) Stage {
	if _, s := a.sessionOf(c); s != nil {
		return s.stage
	}
	return Outside
}

// sessionOf finds the session of a caller.
func (a *Accounts) sessionOf(c Caller) (digest, *session) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	for sum, s := range a.sessions {
		if c.Session != "" && s.id == c.Session && s.alive(a.clock.Now().Unix(), a.idle) {
			return sum, s
		}
	}
	return digest{}, nil
}

func newToken() string {
	var b [32]byte
	rand.Read(b[:]) // never fails: it ends the process instead
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// newSession is one that begins now, for an account as it is now.
func (a *Accounts) newSession(r *record, stage Stage) (*session, string) {
	now := a.clock.Now()
	s := &session{id: id.New("ses_", now), account: r.ID, stage: stage, epoch: r.Epoch, began: now.Unix(), stored: now.Unix()}
	s.seen.Store(now.Unix())
	s.of(r)
	return s, newToken()
}

// beginHalf lets somebody half way in.
func (a *Accounts) beginHalf(r *record, origin []byte) (string, error) {
	return a.beginAt(r, stageAfterPassword(r), origin)
}

// beginAt is beginHalf at a stage. Who has a factor that is not enough sets up another one.
func (a *Accounts) beginAt(r *record, stage Stage, origin []byte) (string, error) {
	s, token := a.newSession(r, stage)
	s.origin, s.shown = origin, stage != stageAfterPassword(r)
	if s.stage == AskSetup {
		s.factor = newFactor()
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	halves, now := 0, a.clock.Now().Unix()
	for sum, o := range a.sessions {
		if o.stage == SignedIn {
			continue
		}
		if halves++; !o.alive(now, a.idle) {
			delete(a.sessions, sum)
			halves--
		}
	}
	if halves >= halvesKept {
		return "", fault.New(fault.Busy, "too many people sign in at once").Then("Try again in a few minutes.")
	}
	a.sessions[hash(token)] = s
	return token, nil
}

// begin signs in to the end, in the transaction that says why. The token that led here ends.
func (a *Accounts) begin(ctx context.Context, tx *db.Tx, r *record, from digest, how string) (token string, err error) {
	a.mu.RLock()
	half := a.sessions[from]
	a.mu.RUnlock()
	var origin []byte
	if half != nil {
		origin = half.origin
	}
	return a.beginAs(ctx, tx, r, from, origin, how)
}

// beginAs is begin for somebody whose session at an identity provider is known.
func (a *Accounts) beginAs(ctx context.Context, tx *db.Tx, r *record, from digest, origin []byte, how string) (token string, err error) {
	s, token := a.newSession(r, SignedIn)
	s.origin = origin
	sum := hash(token)
	if err := errors.Join(a.dropSession(ctx, tx, from), a.keepSession(ctx, tx, s, sum)); err != nil {
		return "", err
	}
	tx.OnCommit(func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		delete(a.sessions, from)
		a.sessions[sum] = s
	})
	return token, a.note(tx, "session.began", "ok", r.actor(), map[string]any{"account": r.ID, "session": s.id, "with": how})
}

func (a *Accounts) keepSession(ctx context.Context, tx *db.Tx, s *session, sum digest) error {
	var origin any
	if s.origin != nil {
		origin = s.origin
	}
	_, err := tx.Exec(ctx, `insert into sessions (id, account, hash, began, seen, origin) values ($1, $2, $3, $4, $5, $6)`, s.id, s.account, sum[:], s.began, s.began, origin)
	return err
}

func (a *Accounts) dropSession(ctx context.Context, tx *db.Tx, sum digest) error {
	_, err := tx.Exec(ctx, `delete from sessions where hash = $1`, sum[:])
	return err
}

// endAll ends every session of an account, and what is half way, in the transaction that says why.
func (a *Accounts) endAll(ctx context.Context, tx *db.Tx, account string) error {
	if _, err := tx.Exec(ctx, `delete from sessions where account = $1`, account); err != nil {
		return err
	}
	tx.OnCommit(func() { a.drop(func(s *session) bool { return s.account == account }) })
	return nil
}

func (a *Accounts) drop(which func(*session) bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for sum, s := range a.sessions {
		if which(s) {
			delete(a.sessions, sum)
		}
	}
}

func (a *Accounts) readSessions(ctx context.Context, tx *db.Tx, people map[string]*record) error {
	rows, err := tx.Query(ctx, `select s.id, s.account, s.hash, s.began, s.seen, s.origin, a.epoch from sessions s join accounts a on a.id = s.account where a.enabled = 1`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		s := &session{stage: SignedIn}
		var sum []byte
		if err := rows.Scan(&s.id, &s.account, &sum, &s.began, &s.stored, &s.origin, &s.epoch); err != nil {
			return fmt.Errorf("reading a session: %w", err)
		}
		if len(sum) != len(digest{}) {
			return fault.New(fault.Integrity, "the stored hash of a session is damaged")
		}
		if r := people[s.account]; r != nil {
			s.of(r)
		}
		s.seen.Store(s.stored)
		a.sessions[digest(sum)] = s
	}
	return rows.Err()
}

// Sessions lists those that go on, of one account or, with "", of all; the newest first.
func (a *Accounts) Sessions(account string) []Session {
	a.mu.RLock()
	defer a.mu.RUnlock()
	out, now := []Session{}, a.clock.Now().Unix()
	for _, s := range a.sessions {
		if s.stage == SignedIn && (account == "" || s.account == account) && s.alive(now, a.idle) {
			out = append(out, s.show())
		}
	}
	slices.SortFunc(out, func(x, y Session) int { return strings.Compare(y.ID, x.ID) })
	return out
}

// EndSession ends one: the own one without further ado, another's with AccountManage. It is over when EndSession returns;
// fault.NotFound when it was over before, or is not the caller's to end.
func (a *Accounts) EndSession(ctx context.Context, session string, by Caller) error {
	sum, s := a.sessionOf(Caller{Session: session})
	if s == nil || s.caller().Actor != by.Actor && Allowed(by, AccountManage) != nil {
		return fault.New(fault.NotFound, "there is no such session").Then("It may have ended by itself.")
	}
	return a.end(ctx, sum, s, by.Actor, "ended by hand")
}

func (a *Accounts) end(ctx context.Context, sum digest, s *session, actor, because string) error {
	return a.db.Write(ctx, func(tx *db.Tx) error { return a.endIn(ctx, tx, sum, s, actor, because) })
}

func (a *Accounts) endIn(ctx context.Context, tx *db.Tx, sum digest, s *session, actor, because string) error {
	n, err := tx.Exec(ctx, `delete from sessions where hash = $1`, sum[:])
	if err != nil {
		return err
	}
	tx.OnCommit(func() { a.drop(func(o *session) bool { return o == s }) })
	if n == 0 {
		return nil // it was half way, or somebody else was faster
	}
	return a.note(tx, "session.ended", "done", actor, map[string]any{"account": s.account, "session": s.id, "because": because})
}
