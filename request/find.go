package request

import (
	"context"
	"slices"
	"time"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/subject"
)

// answered is for how long an access that is complete still answers who asks for one.
const answered = 24 * time.Hour

// Current is the newest request of a kind about exactly this one person that is still open, or an access that was
// answered within a day; nil when there is none, and it is time for a new one.
func (s *Service) Current(ctx context.Context, kind plan.Kind, ids []subject.Identity) (out *Request, err error) {
	tokens := subject.Tokens(s.cfg.Vault, ids)
	if len(tokens) == 0 {
		return nil, nil
	}
	now := s.cfg.Clock.Now()
	err = s.cfg.DB.Read(ctx, func(tx *db.Tx) error {
		out = nil
		all, err := loadAll(ctx, tx, `kind = $1 and id in (select request from request_tokens where token = $2) order by received desc, n desc`,
			string(kind), tokens[0])
		if err != nil {
			return err
		}
		for _, r := range all {
			fresh := r.state == Complete && kind == plan.Access && now.Sub(r.updated) < answered
			if r.People != 1 || r.Limit != nil || !r.state.Open() && !fresh {
				continue
			}
			theirs, err := tokensOf(ctx, tx, r.id)
			if err != nil {
				return err
			}
			if slices.Equal(theirs, tokens) {
				out, err = s.show(ctx, tx, r)
				return err
			}
		}
		return nil
	})
	return out, err
}
