package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ombudhq/ombud/access"
)

// atOnce is how many people sign in at the same time.
const (
	atOnce   = 50
	passWord = "correct horse battery"
)

// hashing is what a sign-in costs on purpose, one at a time whoever waits.
const hashing = `crypto/argon2\.`

// measureSignIns asks for decisions while fifty people sign in without a pause. The server's profile tells what it took to hash
// passwords, and that is taken off. What is left is what a decision costs, with all else that the sign-ins take.
func measureSignIns(t *testing.T, r *report, z size) {
	c := newCompany(t, "signins", 1250)
	c.staff(t)
	p := c.serveProfiled(t).settle()
	people := p.atTheDoor(t)
	decisions := c.questions(1000, 5000, 1) // of no more people: who is half signed in is counted, up to a thousand
	const times = 6
	ask := func() {
		for range times {
			if err := p.ask(c, decisions, 1, 16); err != nil {
				panic(err)
			}
		}
	}
	asked := time.Duration(times * len(decisions))
	var all tally
	alone := func(int) map[string]time.Duration {
		_, rest := p.apart(hashing, ask)
		return map[string]time.Duration{"alone": rest / asked}
	}
	beside := func(int) map[string]time.Duration {
		var some tally
		hashes, rest := p.apart(hashing, func() { some = people.during(ask) })
		all.in, all.out = all.in+some.in, all.out+some.out
		return map[string]time.Duration{"beside": rest / asked, "hash": hashes / time.Duration(max(some.in, 1))}
	}
	got := takeTurns(max(z.rounds, 9), alone, beside)
	r.ratio(fmt.Sprintf("decision over HTTP beside %d sign-ins, against alone: CPU", atOnce), "", got["beside"], got["alone"], 1.2)
	r.add("the hash of a sign-in: server CPU", "", got["hash"].median().String(), "", "", fmt.Sprintf("%d in, %d told 429", all.in, all.out), "", "")
}

// staff makes the accounts of those who sign in.
func (c *company) staff(t testing.TB) {
	t.Helper()
	a := c.open(t)
	defer c.close(t, a)
	by := access.Caller{Actor: "local:bench", Role: access.Local}
	for i := range atOnce {
		role := access.Auditor
		if i == 0 {
			role = access.Admin
		}
		made, _, err := a.Accounts.Create(t.Context(), access.NewAccount{Name: fmt.Sprintf("person-%d", i), Role: role, Password: passWord, By: by})
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			by = access.Caller{Actor: made.ID, Role: access.Admin}
		}
	}
}

// door is where people sign in.
type door struct {
	client *http.Client
	addr   string
	token  string // of the form
}

// tally is how many came in, and how many were told to try again later.
type tally struct{ in, out int64 }

func (p *process) atTheDoor(t testing.TB) *door {
	t.Helper()
	d := &door{addr: p.addr, client: &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: atOnce},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	res, err := d.client.Get("http://" + p.addr + "/sign-in")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	page, err := io.ReadAll(res.Body)
	if m := regexp.MustCompile(`name="token" value="(\w+)"`).FindSubmatch(page); m != nil {
		d.token = string(m[1])
	}
	if err != nil || d.token == "" {
		t.Fatal("the page to sign in has no form", err)
	}
	return d
}

// during lets everybody sign in, again and again, until fn has ended and the last of them was answered.
func (d *door) during(fn func()) tally {
	var in, out atomic.Int64
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	var all sync.WaitGroup
	for i := range atOnce {
		all.Go(func() {
			for ctx.Err() == nil {
				switch code := d.signIn(i); code {
				case http.StatusSeeOther:
					in.Add(1)
				case http.StatusTooManyRequests:
					out.Add(1)
					select {
					case <-time.After(200 * time.Millisecond):
					case <-ctx.Done():
					}
				default:
					panic(fmt.Sprint("a sign-in was answered ", code))
				}
			}
		})
	}
	fn()
	stop()
	all.Wait()
	return tally{in.Load(), out.Load()}
}

func (d *door) signIn(i int) int {
	form := url.Values{"name": {fmt.Sprintf("person-%d", i)}, "password": {passWord}, "token": {d.token}}
	req, err := http.NewRequest(http.MethodPost, "http://"+d.addr+"/sign-in", strings.NewReader(form.Encode()))
	if err != nil {
		panic(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", "http://"+d.addr)
	res, err := d.client.Do(req)
	if err != nil {
		panic(err)
	}
	_, err = io.Copy(io.Discard, res.Body)
	if err = errors.Join(err, res.Body.Close()); err != nil {
		panic(err)
	}
	return res.StatusCode
}
