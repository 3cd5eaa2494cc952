// Package fault is the one vocabulary of errors that a user can see. Code below the edges returns
// a fault when somebody outside can act on it; the edges turn its kind into an exit code or an HTTP
// status, each in one table. Everything else is an ordinary error and reaches the user as "internal".
//
// A fault never holds an identity, a secret or a value from a store.
package fault

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Kind says who can do something about the fault.
type Kind int

const (
	Internal    Kind = iota // a defect of ours, or something nobody foresaw
	Invalid                 // the input is wrong: usage or configuration
	NotFound                // the thing named does not exist
	Denied                  // understood, and the answer is no
	Conflict                // somebody else was faster, or the state does not allow it
	Waiting                 // incomplete, or a person must act first
	Integrity               // the ledger, a receipt or a package is not what was signed
	Unavailable             // a store, a disk or a lock is out of reach; may work later
	Busy                    // too much at once, or too often: the same may be asked again after a while
)

// exits is the table of docs/cli.md, "Exit codes". 0 is success and 1 is findings.
var exits = map[Kind]int{
	Internal: 6, Invalid: 2, NotFound: 2, Denied: 3, Conflict: 3, Waiting: 4, Integrity: 5, Unavailable: 6, Busy: 6,
}

// statuses is the table of HTTP answers (RFC 9457 problems).
var statuses = map[Kind]int{
	Internal: 500, Invalid: 422, NotFound: 404, Denied: 403, Conflict: 409, Waiting: 409, Integrity: 500, Unavailable: 503, Busy: 429,
}

var names = map[Kind]string{
	Internal: "internal", Invalid: "invalid", NotFound: "not-found", Denied: "denied", Conflict: "conflict",
	Waiting: "waiting", Integrity: "integrity", Unavailable: "unavailable", Busy: "busy",
}

func (k Kind) String() string { return names[k] }

// Detail is one thing that is wrong and where: a line of a file, a JSON pointer, a table.
type Detail struct {
	Where   string `json:"where,omitempty"`
	Message string `json:"message"`
}

// Error is a fault. Next, when set, says what the reader can do about it.
type Error struct {
	Kind    Kind
	Message string
	Details []Detail
	Next    string
	Retry   time.Duration // of Busy: after how long it may be asked again, 0 where that is not known
	cause   error
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Message)
	for _, d := range e.Details {
		b.WriteString("\n  ")
		if d.Where != "" {
			b.WriteString(d.Where + ": ")
		}
		b.WriteString(d.Message)
	}
	if e.Next != "" {
		b.WriteString("\n" + e.Next)
	}
	return b.String()
}

// Unwrap gives the cause, for errors.Is and logs on our side; it is not shown to users.
func (e *Error) Unwrap() error { return e.cause }

// New makes a fault of a kind.
func New(k Kind, format string, args ...any) *Error {
	return &Error{Kind: k, Message: fmt.Sprintf(format, args...)}
}

// Wrap makes a fault with a cause that stays on our side.
func Wrap(k Kind, cause error, format string, args ...any) *Error {
	return &Error{Kind: k, Message: fmt.Sprintf(format, args...), cause: cause}
}

// Then adds what the reader can do next.
func (e *Error) Then(format string, args ...any) *Error {
	e.Next = fmt.Sprintf(format, args...)
	return e
}

// With adds details; bad input names every fault at once.
func (e *Error) With(d ...Detail) *Error {
	e.Details = append(e.Details, d...)
	return e
}

// RetryAfter is what an answer says in the header of that name; "" where nothing is known.
func RetryAfter(err error) string {
	var f *Error
	if !errors.As(err, &f) || f.Retry <= 0 {
		return ""
	}
	return fmt.Sprint(int64((f.Retry + time.Second - 1) / time.Second))
}

// KindOf is the kind of the outermost fault in err, Internal when there is none.
func KindOf(err error) Kind {
	var f *Error
	if errors.As(err, &f) {
		return f.Kind
	}
	return Internal
}

// ExitCode maps an error to the exit codes of the command line; nil is 0.
func ExitCode(err error) int {
	if err == nil {
		return 0
	}
	return exits[KindOf(err)]
}

// HTTPStatus maps an error to its HTTP status; nil is 200.
func HTTPStatus(err error) int {
	if err == nil {
		return 200
	}
	return statuses[KindOf(err)]
}
