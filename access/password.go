package access

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"runtime"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"github.com/ombudhq/ombud/internal/fault"
)

// cost is what one guess of a password costs. It stands in each hash, so that it can be raised later.
type cost struct {
	memory uint32 // KiB
	time   uint32
	lanes  uint8
}

// present is the cost of a new hash: what OWASP asks of argon2id, and more.
var present = cost{memory: 32 << 10, time: 2, lanes: 1}

const (
	saltLength = 16
	hashLength = 32
	waiting    = 32 // guesses that may wait for their turn
)

// hasher makes and checks passwords. A hash takes memory and time on purpose, so only a few are made at once: the rest
// wait, and where too many wait already, the next one is refused at once. Decisions never wait behind sign-ins.
type hasher struct {
	cost         cost
	queue, turns chan struct{}
	nobody       string // a hash that no password has: who is unknown costs the same
}

func newHasher() *hasher {
	atOnce := max(1, runtime.NumCPU()/2)
	return &hasher{cost: present, queue: make(chan struct{}, atOnce+waiting), turns: make(chan struct{}, atOnce), nobody: present.seal(rand.Text())}
}

// turn runs fn when it is its turn; fault.Busy when too many wait.
func (h *hasher) turn(ctx context.Context, fn func()) error {
	select {
	case h.queue <- struct{}{}:
		defer func() { <-h.queue }()
	default:
		return fault.New(fault.Busy, "too many people sign in at once").Then("Try again in a few seconds.")
	}
	select {
	case h.turns <- struct{}{}:
		defer func() { <-h.turns }()
	case <-ctx.Done():
		return fault.Wrap(fault.Unavailable, ctx.Err(), "interrupted")
	}
	fn()
	return nil
}

// hash makes the hash of a password.
func (h *hasher) hash(ctx context.Context, password string) (phc string, err error) {
	err = h.turn(ctx, func() { phc = h.cost.seal(password) })
	return phc, err
}

// check tells whether a password has this hash. Without a hash it is none, and takes as long.
func (h *hasher) check(ctx context.Context, phc, password string) (ok bool, err error) {
	err = h.turn(ctx, func() {
		if phc == "" {
			matches(h.nobody, password)
			return
		}
		ok = matches(phc, password)
	})
	return ok, err
}

// seal writes a hash as others do: $argon2id$v=19$m=…,t=…,p=…$salt$hash.
func (c cost) seal(password string) string {
	salt := make([]byte, saltLength)
	rand.Read(salt) // never fails: it ends the process instead
	sum := argon2.IDKey([]byte(password), salt, c.time, c.memory, c.lanes, hashLength)
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, c.memory, c.time, c.lanes, b64(salt), b64(sum))
}

func matches(phc, password string) bool {
	var c cost
	var version int
	parts := strings.Split(phc, "$")
	if len(parts) != 6 || parts[1] != "argon2id" {
		return false
	}
	if _, err := fmt.Sscanf(parts[2]+" "+parts[3], "v=%d m=%d,t=%d,p=%d", &version, &c.memory, &c.time, &c.lanes); err != nil || version != argon2.Version || c.time == 0 || c.lanes == 0 {
		return false
	}
	salt, err := base64.RawStdEncoding.DecodeString(parts[4])
	if err != nil {
		return false
	}
	sum, err := base64.RawStdEncoding.DecodeString(parts[5])
	if err != nil || len(sum) == 0 {
		return false
	}
	got := argon2.IDKey([]byte(password), salt, c.time, c.memory, c.lanes, uint32(len(sum)))
	return subtle.ConstantTimeCompare(got, sum) == 1
}

// Length of a password. Length is what counts; nothing is asked of its characters.
const (
	shortestPassword = 12
	longestPassword  = 1000
)

// checkPassword refuses a password that is guessed early; fault.Invalid.
func checkPassword(password, name string) error {
	different := map[rune]bool{}
	for _, r := range password {
		different[r] = true
	}
	why := ""
	switch n := utf8.RuneCountInString(password); {
	case n < shortestPassword:
		why = fmt.Sprintf("a password has at least %d characters; a few words are easy to remember", shortestPassword)
	case len(password) > longestPassword:
		why = "a password has at most 1,000 characters"
	case len(different) < 5:
		why = "the same few characters again and again are guessed early"
	case strings.Contains(strings.ToLower(password), strings.ToLower(name)):
		why = "a password that holds the sign-in name is guessed early"
	default:
		return nil
	}
	return fault.New(fault.Invalid, "this password cannot be taken").With(fault.Detail{Where: "password", Message: why})
}
