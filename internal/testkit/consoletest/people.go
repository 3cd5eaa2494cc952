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
	"net/http/httptest"
	"strings"
	"time"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/web/console"
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
	if _, _, err := a.Create(ctx, access.NewAccount{Name: name, Display: strings.ReplaceAll(name, "_", " "), Role: role, Password: Password, By: by}); err != nil {
		return access.Caller{}, "", err
	}
	half, err := a.SignIn(ctx, name, Password, "192.0.2.1")
	if err != nil {
		return access.Caller{}, "", err
	}
	c, _ := a.Visit(half.Token, true)
	token, err := w.Enrol(ctx, c)
	c, _ = a.Visit(token, true)
	return c, token, err
}

// Enrol sets up a second factor for somebody half way, and gives the token of their session.
func (w *World) Enrol(ctx context.Context, c access.Caller) (string, error) {
	en, ok := w.Accounts.Enrolment(ctx, c)
	secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(en.Secret)
	if err != nil || !ok {
		return "", errors.Join(err, errors.New("no second factor is set up"))
	}
	in, _, err := w.Accounts.ConfirmFactor(ctx, c, Code(secret, w.Clock.Now()))
	return in.Token, err
}

// Visitor is a session of somebody, as far as it has come, and the pages that it opens.
type Visitor struct {
	Cookie string   `json:"cookie"` // of the session; its name is Cookie
	Pages  []string `json:"pages"`
}

// Staff signs somebody in for each role, and leaves two people half way: before the code, and before a second factor is set up.
// The pages of each are all that the console has and lets them see, and those of the door and of their own account.
func (w *World) Staff(ctx context.Context, refs Refs) (map[string]Visitor, error) {
	out, by := map[string]Visitor{}, access.Caller{Actor: Actor, Role: access.Local}
	admin, token, err := w.SignIn(ctx, "admin", access.Admin, by)
	if err != nil {
		return nil, err
	}
	own := []string{"/account", "/accounts/" + strings.TrimPrefix(admin.Actor, "account:"), "/sign-in"}
	if out[string(access.Admin)], err = w.opened(ctx, token, refs, own...); err != nil {
		return nil, err
	}
	for _, role := range access.PeopleRoles() {
		if role == access.Admin {
			continue
		}
		if _, token, err = w.SignIn(ctx, string(role), role, admin); err != nil {
			return nil, err
		}
		if out[string(role)], err = w.opened(ctx, token, refs, "/account"); err != nil {
			return nil, err
		}
	}
	return out, w.halfWay(ctx, admin, out)
}

// opened are the pages that a session opens, and these.
func (w *World) opened(ctx context.Context, token string, refs Refs, own ...string) (Visitor, error) {
	v := Visitor{Cookie: token, Pages: own}
	for _, pattern := range console.Patterns() {
		path, ok := strings.CutPrefix(pattern, "GET ")
		if !ok {
			continue
		}
		path = w.example(ctx, strings.TrimSuffix(path, "{$}"), refs)
		r := httptest.NewRequestWithContext(ctx, http.MethodGet, path, nil)
		r.AddCookie(&http.Cookie{Name: Cookie, Value: token})
		rec := httptest.NewRecorder()
		w.ServeHTTP(rec, r)
		if rec.Code == http.StatusOK && strings.HasPrefix(rec.Header().Get("Content-Type"), "text/html") {
			v.Pages = append(v.Pages, path)
		}
		if rec.Code >= http.StatusInternalServerError {
			return v, fmt.Errorf("%s answers %d", path, rec.Code)
		}
	}
	return v, nil
}

// halfWay leaves the pages that stand between the door and the house.
func (w *World) halfWay(ctx context.Context, by access.Caller, out map[string]Visitor) error {
	half, err := w.Accounts.SignIn(ctx, "admin", Password, "192.0.2.1")
	if err != nil {
		return err
	}
	out["code"] = Visitor{half.Token, []string{"/sign-in/code"}}
	_, link, err := w.Accounts.Create(ctx, access.NewAccount{Name: "new", Display: "Nora Berg", Role: access.Support, By: by})
	if err != nil {
		return err
	}
	out["nobody"] = Visitor{"", []string{"/sign-in", "/setup?link=" + link}}
	if _, _, err := w.Accounts.Create(ctx, access.NewAccount{Name: "half", Role: access.Support, Password: Password, By: by}); err != nil {
		return err
	}
	if half, err = w.Accounts.SignIn(ctx, "half", Password, "192.0.2.1"); err != nil {
		return err
	}
	out["factor"] = Visitor{half.Token, []string{"/account/factor"}}
	return nil
}

// Code is what an authenticator app shows at a time.
func Code(secret []byte, at time.Time) string {
	mac := hmac.New(sha1.New, secret)
	_ = binary.Write(mac, binary.BigEndian, at.Unix()/30)
	sum := mac.Sum(nil)
	return fmt.Sprintf("%06d", (binary.BigEndian.Uint32(sum[sum[19]&15:])&0x7fffffff)%1_000_000)
}
