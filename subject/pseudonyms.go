package subject

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"
	"unicode"

	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/id"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/vault"
)

// A person has one pseudonym in each context, such as analytics or support, random, with an end. Neither two pseudonyms of a
// person nor a pseudonym and its person can be told to belong together by who has the store and not the keys: the row is
// found by a keyed token of person and context, and leads back to the person by what is sealed under the person's own key.
// Who is forgotten has none any more.
const pseudonymsSchema = `create table pseudonyms (
	id text primary key,
	holder bytea not null unique,
	context text not null,
	sealed bytea not null,
	since bigint not null,
	expires bigint not null
);
create table pseudonym_contexts (context text primary key)`

const pseudonymLabel = "pseudonyms/person"

// Pseudonym stands for a person in one context.
type Pseudonym struct {
	ID      string    `json:"pseudonym"`
	Context string    `json:"context"`
	Since   time.Time `json:"since"`
	Expires time.Time `json:"expires"`
}

// Pseudonyms gives pseudonyms, and says who one is to those who may know. It is safe for concurrent use.
type Pseudonyms struct {
	db     *db.DB
	vault  *vault.Vault
	ledger *ledger.Ledger
	people *People
	clock  clock.Clock
}

// OpenPseudonyms prepares them.
func OpenPseudonyms(ctx context.Context, d *db.DB, v *vault.Vault, l *ledger.Ledger, p *People, c clock.Clock) (*Pseudonyms, error) {
	if err := d.Migrate(ctx, "resolutions", resolutionsSchema); err != nil {
		return nil, err
	}
	return &Pseudonyms{d, v, l, p, c}, nil
}

// PseudonymInput says for whom, and where, a pseudonym stands.
type PseudonymInput struct {
	Subject []Identity
	Context string
	For     time.Duration // 0 is a year
	Actor   string
}

const (
	pseudonymYear = 365 * 24 * time.Hour
	longestFor    = 10 * pseudonymYear
	longContext   = 64
)

func checkContext(text string) []fault.Detail {
	if text == "" || len(text) > longContext || strings.ContainsFunc(text, func(r rune) bool { return r > unicode.MaxASCII || !unicode.IsPrint(r) || r == ' ' }) {
		return []fault.Detail{{Where: "context", Message: "a context is a word of at most 64 ASCII characters, such as analytics"}}
	}
	return nil
}

func (in *PseudonymInput) check() error {
	wrong := checkContext(in.Context)
	if len(in.Subject) == 0 {
		wrong = append(wrong, fault.Detail{Where: "subject", Message: "say whom it stands for"})
	}
	if in.For == 0 {
		in.For = pseudonymYear
	}
	if in.For < time.Minute || in.For > longestFor {
		wrong = append(wrong, fault.Detail{Where: "expires", Message: "a pseudonym stands for a minute at least and ten years at most"})
	}
	if len(wrong) > 0 {
		return fault.New(fault.Invalid, "this is no pseudonym to make").With(wrong...)
	}
	return nil
}

// holder is the token of a person in a context.
func (p *People) holder(context string, n Number) []byte {
	sum := p.vault.MAC("pseudonym/holder", []byte(context), binary.BigEndian.AppendUint32(nil, uint32(n)))
	return sum[:16]
}

// Make gives the pseudonym of a person in a context: the one that stands, or a new one. Nobody is made known by it:
// fault.NotFound when nobody is known by these identities.
func (s *Pseudonyms) Make(ctx context.Context, in PseudonymInput) (out Pseudonym, err error) {
	if err := in.check(); err != nil {
		return out, err
	}
	err = s.db.Write(ctx, func(tx *db.Tx) error {
		n, _, err := s.people.Resolve(ctx, tx, in.Subject)
		if err == nil && n == 0 {
			err = fault.New(fault.NotFound, "nobody is known by this identity")
		}
		if err != nil {
			return err
		}
		if err := s.expire(ctx, tx); err != nil {
			return err
		}
		out, err = s.standing(ctx, tx, in.Context, n)
		if err != nil || out.ID != "" {
			return err
		}
		out, err = s.insert(ctx, tx, in, n)
		return err
	})
	if err != nil {
		return Pseudonym{}, err
	}
	return out, nil
}

// expire takes out those whose time is over.
func (s *Pseudonyms) expire(ctx context.Context, tx *db.Tx) error {
	_, err := tx.Exec(ctx, "delete from pseudonyms where expires <= $1", s.clock.Now().UnixMilli())
	return err
}

// Expire takes out the pseudonyms whose time is over. They are not found any more before that.
func (s *Pseudonyms) Expire(ctx context.Context) error {
	return s.db.Write(ctx, func(tx *db.Tx) error { return s.expire(ctx, tx) })
}

func (s *Pseudonyms) standing(ctx context.Context, tx *db.Tx, in string, n Number) (out Pseudonym, err error) {
	var since, expires int64
	err = tx.QueryRow(ctx, "select id, context, since, expires from pseudonyms where holder = $1", s.people.holder(in, n)).Scan(&out.ID, &out.Context, &since, &expires)
	if errors.Is(err, db.ErrNoRows) {
		return Pseudonym{}, nil
	}
	out.Since, out.Expires = time.UnixMilli(since).UTC(), time.UnixMilli(expires).UTC()
	return out, err
}

func (s *Pseudonyms) insert(ctx context.Context, tx *db.Tx, in PseudonymInput, n Number) (Pseudonym, error) {
	var b [16]byte
	rand.Read(b[:]) // never fails: it ends the process instead
	now := s.clock.Now().UTC().Truncate(time.Millisecond)
	out := Pseudonym{ID: id.Encode("psn_", b), Context: in.Context, Since: now, Expires: now.Add(in.For)}
	sealed, err := s.vault.SealFor(n.Slot(), pseudonymLabel, []byte(out.ID), binary.BigEndian.AppendUint32(nil, uint32(n)))
	if err != nil {
		return out, err
	}
	_, err = tx.Exec(ctx, "insert into pseudonyms (id, holder, context, sealed, since, expires) values ($1, $2, $3, $4, $5, $6)",
		out.ID, s.people.holder(in.Context, n), in.Context, sealed, out.Since.UnixMilli(), out.Expires.UnixMilli())
	if err == nil {
		_, err = tx.Exec(ctx, "insert into pseudonym_contexts (context) values ($1) on conflict do nothing", in.Context)
	}
	if err != nil {
		return out, fmt.Errorf("keeping a pseudonym: %w", err)
	}
	_, err = s.ledger.Append(tx, ledger.Entry{Kind: "pseudonym.made", Result: "done", Actor: in.Actor, Subject: s.people.ID(n), Slot: n.Slot(),
		Content: map[string]any{"context": in.Context, "expires": out.Expires}})
	return out, err
}

// person is who a pseudonym stands for; fault.NotFound when nobody any more.
func (s *Pseudonyms) person(ctx context.Context, tx *db.Tx, pseudonym string) (Number, error) {
	var sealed []byte
	err := tx.QueryRow(ctx, "select sealed from pseudonyms where id = $1 and expires > $2", pseudonym, s.clock.Now().UnixMilli()).Scan(&sealed)
	if err == nil {
		sealed, err = s.vault.Open(pseudonymLabel, []byte(pseudonym), sealed)
	}
	if errors.Is(err, db.ErrNoRows) || errors.Is(err, vault.ErrForgotten) {
		return 0, fault.New(fault.NotFound, "there is no such pseudonym: it never was, has expired, or its person was forgotten")
	}
	if err != nil {
		return 0, err
	}
	if len(sealed) != 4 {
		return 0, fault.New(fault.Integrity, "a pseudonym is damaged")
	}
	return Number(binary.BigEndian.Uint32(sealed)), nil
}

// endPseudonyms takes out all of a person who is forgotten.
func (p *People) endPseudonyms(ctx context.Context, tx *db.Tx, n Number) error {
	rows, err := tx.Query(ctx, "select context from pseudonym_contexts")
	if err != nil {
		return fmt.Errorf("ending pseudonyms: %w", err)
	}
	defer rows.Close()
	var holders [][]byte
	for rows.Next() {
		var in string
		if err := rows.Scan(&in); err != nil {
			return fmt.Errorf("ending pseudonyms: %w", err)
		}
		holders = append(holders, p.holder(in, n))
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for _, h := range holders {
		if _, err := tx.Exec(ctx, "delete from pseudonyms where holder = $1", h); err != nil {
			return fmt.Errorf("ending pseudonyms: %w", err)
		}
	}
	return nil
}

// Token is what stands for a value itself, an e-mail address or an IP address, where something must be counted or joined
// and nobody asks whose it is: keyed, the same for the same value in a context. That of an IP address changes each month.
// An address for mail that stands for another is the token at the top-level domain that leads nowhere.
func (s *Pseudonyms) Token(in, kind, value string) (string, error) {
	wrong := checkContext(in)
	parts := [][]byte{[]byte(in)}
	switch kind {
	case "email":
		if value = strings.TrimSpace(value); !strings.Contains(value, "@") || len(value) > 320 {
			wrong = append(wrong, fault.Detail{Where: "value", Message: "this is no e-mail address"})
		}
		parts = append(parts, appendFolded(nil, value))
	case "ip":
		addr, err := netip.ParseAddr(strings.TrimSpace(value))
		if err != nil {
			wrong = append(wrong, fault.Detail{Where: "value", Message: "this is no IP address"})
		}
		parts = append(parts, []byte(addr.Unmap().WithZone("").String()), []byte(s.clock.Now().UTC().Format("2006-01")))
	default:
		wrong = append(wrong, fault.Detail{Where: "kind", Message: "there are tokens of the kinds email and ip"})
	}
	if len(wrong) > 0 {
		return "", fault.New(fault.Invalid, "this has no token").With(wrong...)
	}
	sum := s.vault.MAC("pseudonym/"+kind, parts...)
	token := id.Encode("tok_", [16]byte(sum[:16]))
	if kind == "email" {
		token += "@pseudonym.invalid"
	}
	return token, nil
}
