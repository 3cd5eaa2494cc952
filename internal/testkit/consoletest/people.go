package consoletest

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/ombudhq/ombud/access"
)

// Cookie is the name of a session's.
const Cookie = "ombud_test"

// Password is that of everybody in a World.
const Password = "correct horse battery"

// visitor is who comes: whoever started the console while there is no account, then whose session it is.
func (w *World) visitor(r *http.Request) access.Caller {
	if !w.Accounts.Any() {
		return access.Caller{Actor: Actor, Role: access.Local}
	}
	cookie, err := r.Cookie(Cookie)
	if err != nil {
		return access.Caller{}
	}
	c, _ := w.Accounts.Visit(cookie.Value, true)
	return c
}

// As is the console as somebody meets it who is known already.
func (w *World) As(c access.Caller) http.Handler {
	w.mu.Lock()
	defer w.mu.Unlock()
	h := w.handler
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(rw, r.WithContext(access.With(r.Context(), c)))
	})
}

// SignedIn makes an account and signs it in, with two factors.
func (w *World) SignedIn(ctx context.Context, name string, role access.Role, by access.Caller) (access.Caller, error) {
	c, _, err := w.SignIn(ctx, name, role, by)
	return c, err
}

// SignIn is SignedIn that also gives the token of the session.
func (w *World) SignIn(ctx context.Context, name string, role access.Role, by access.Caller) (access.Caller, string, error) {
	a := w.Accounts
	if _, _, err := a.Create(ctx, access.NewAccount{Name: name, Role: role, Password: Password, By: by}); err != nil {
		return access.Caller{}, "", err
	}
	half, err := a.SignIn(ctx, name, Password, "192.0.2.1")
	if err != nil {
		return access.Caller{}, "", err
	}
	c, _ := a.Visit(half.Token, true)
	en, ok := a.Enrolment(ctx, c)
	secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(en.Secret)
	if err != nil || !ok {
		return access.Caller{}, "", errors.Join(err, errors.New("no second factor is set up"))
	}
	in, _, err := a.ConfirmFactor(ctx, c, Code(secret, w.Clock.Now()))
	c, _ = a.Visit(in.Token, true)
	return c, in.Token, err
}

// Code is what an authenticator app shows at a time.
func Code(secret []byte, at time.Time) string {
	mac := hmac.New(sha1.New, secret)
	_ = binary.Write(mac, binary.BigEndian, at.Unix()/30)
	sum := mac.Sum(nil)
	return fmt.Sprintf("%06d", (binary.BigEndian.Uint32(sum[sum[19]&15:])&0x7fffffff)%1_000_000)
}
