package access

import (
	"context"
	"strings"

	"github.com/ombudhq/ombud/internal/db"
)

// Bearer begins one more session of somebody who proves again who they are. Its token is a bearer of the API: who sends it
// calls as that person, with their roles and no more, until the session ends as every session does.
func (a *Accounts) Bearer(ctx context.Context, who Caller, password string) (token string, err error) {
	_, s, err := a.prove(ctx, who, password)
	if err != nil {
		return "", err
	}
	return a.bearer(ctx, s.account)
}

// BearerOf is Bearer for somebody who has just shown with Vouch who they are.
func (a *Accounts) BearerOf(ctx context.Context, who Caller) (token string, err error) {
	account, ok := strings.CutPrefix(who.Actor, accountMark)
	if !ok || who.Session != vouchedSession {
		return "", errHalfOver()
	}
	return a.bearer(ctx, account)
}

func (a *Accounts) bearer(ctx context.Context, account string) (token string, err error) {
	err = a.db.Write(ctx, func(tx *db.Tx) error {
		r, err := a.find(ctx, tx, account)
		if err == nil && !r.Enabled {
			err = errHalfOver()
		}
		if err != nil {
			return err
		}
		token, err = a.begin(ctx, tx, r, digest{}, "bearer")
		return err
	})
	return token, err
}
