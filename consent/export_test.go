package consent

import (
	"context"

	"github.com/ombudhq/ombud/consent/internal/index"
	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/subject"
)

// Fill lets people 1 to n, each found by a key, say yes to each purpose of the first ranks, in the index alone.
func (s *Service) Fill(n, ranks int, key func(n int) subject.Key) {
	for i := range n {
		s.index.Bind(short(key(i+1)), index.Number(i+1))
		for r := range ranks {
			w, err := index.NewWord(index.Never, 1<<40+1, 0)
			if err != nil {
				panic(err)
			}
			s.index.Set(index.Number(i+1), r, w)
		}
	}
}

// HandleOf is the handle of a person by number.
func HandleOf(n subject.Number) Handle { return Handle{person: n} }

// SetClock gives another clock.
func (s *Service) SetClock(c clock.Clock) { s.cfg.Clock = c }

// Look is the word alone.
func (s *Service) Look(h Handle, rank int) index.Word {
	_, w, _ := s.index.Look(index.Number(h.person), rank)
	return w
}

// OwedSchema is the table of what is owed as stores of before have it.
const OwedSchema = owedSchema

// KeysOf are all keys of a person of whom some identities are named.
func (s *Service) KeysOf(ctx context.Context, tx *db.Tx, n subject.Number, ids []subject.Identity) ([]subject.Key, error) {
	return s.keysOf(ctx, tx, n, ids)
}
