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

// measureSignIns asks for decisions while fifty people sign in without a pause. What a sign-in costs alone is measured in the
// same round, and what they cost beside the decisions is taken off: what is left is what a decision costs.
func measureSignIns(t *testing.T, r *report, z size) {
	c := newCompany(t, "signins", 1250)
	c.staff(t)
	p, _ := c.serve(t)
	p.settle()
	people := p.atTheDoor(t)
	decisions := c.questions(1000, 5000, 1) // no more: who is half signed in is counted, up to a thousand
	var refused, entered int64
	both := func(int) map[string]time.Duration {
		alone, cost := people.during(p, func() { <-time.After(2 * time.Second) })
		if alone.in == 0 {
			panic("nobody signed in")
		}
		each := cost / time.Duration(alone.in)
		beside, cost := people.during(p, func() {
			if err := p.ask(c, decisions, 1, 16); err != nil {
				panic(err)
			}
		})
		refused, entered = refused+beside.out+alone.out, entered+beside.in
		return map[string]time.Duration{
			"beside": (cost - time.Duration(beside.in)*each) / time.Duration(len(decisions)), "sign-in": each,
		}
	}
	got := takeTurns(max(z.rounds, 7), p.lap("alone", c, decisions, 1), both)
	r.ratio(fmt.Sprintf("decision over HTTP beside %d sign-ins, against alone: CPU", atOnce), "", got["beside"], got["alone"], 1.2)
	r.add("a sign-in: server CPU", "", got["sign-in"].median().String(), "", "", fmt.Sprintf("%d in, %d told 429", entered, refused), "", "")
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

// during lets everybody sign in, again and again, until fn has ended, and gives what the server took until the last of them
// was answered.
func (d *door) during(p *process, fn func()) (tally, time.Duration) {
	var in, out atomic.Int64
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	var all sync.WaitGroup
	before := p.cpu()
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
	return tally{in.Load(), out.Load()}, p.cpu() - before
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
