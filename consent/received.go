package consent

import (
	"context"
	"errors"
	"time"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/once"
)

const receivedSchema = `create table consent_received (
	key bytea not null primary key,
	at bigint not null
);
create index consent_received_at on consent_received (at)`

// keepReceived is how long an event is known again.
const keepReceived = 90 * 24 * time.Hour

// errRepeated says that an event came before, and that its transaction must not act again.
var errRepeated = errors.New("the event came before")

// Receive takes what a service tells in an event, once: the event of a source and id that acted acts no more for 90 days,
// and is answered as repeated. One that was refused may come again.
func (s *Service) Receive(ctx context.Context, source, id string, l Line, actor string) (repeated bool, err error) {
	sum := s.cfg.Vault.MAC("consent-event", []byte(source), []byte(id))
	_, err = s.take(ctx, l, origin{source: source, event: sum[:]}, actor)
	if errors.Is(err, errRepeated) {
		return true, nil
	}
	return false, err
}

// origin says where an act comes from that was not said to us.
type origin struct {
	source string
	event  []byte    // what it is known by, where it must act once
	at     time.Time // when it was said, by the source
	past   bool      // it is history: that nothing carries the data any more is not news
}

// before reads what an act came to that was asked for before. An event is known by itself.
func before(ctx context.Context, o *origin, outcome any) (bool, error) {
	if o != nil {
		return false, nil
	}
	return once.Was(ctx, outcome)
}

// done keeps what an act comes to, for who asks for it again.
func done(tx *db.Tx, o *origin, outcome any) error {
	if o != nil {
		return nil
	}
	return once.Done(tx, outcome)
}

// once notes an event in the transaction of its act.
func (s *Service) once(ctx context.Context, tx *db.Tx, o *origin) error {
	if o == nil || o.event == nil {
		return nil
	}
	now := s.cfg.Clock.Now()
	if _, err := tx.Exec(ctx, "delete from consent_received where at < $1", now.Add(-keepReceived).UnixMilli()); err != nil {
		return err
	}
	n, err := tx.Exec(ctx, "insert into consent_received (key, at) values ($1, $2) on conflict (key) do nothing", o.event, now.UnixMilli())
	if err == nil && n == 0 {
		err = errRepeated
	}
	return err
}
