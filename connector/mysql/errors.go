package mysql

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"regexp"
	"strconv"

	"github.com/go-sql-driver/mysql"

	"github.com/ombudhq/ombud/internal/fault"
)

// told is what may be repeated of the server's messages, by error number: the parts in groups, all
// of them names. A message without an entry is told by its number only, since it may hold a value.
var told = map[uint16]*regexp.Regexp{
	1048: regexp.MustCompile(`^(Column '[^']*' cannot be null)$`),
	1054: regexp.MustCompile(`^(Unknown column '[^']*' in )`),
	1062: regexp.MustCompile(`(for key '[^']*')$`),
	1142: regexp.MustCompile(`^([A-Z ]+ command denied) to user .* (for table .*)$`),
	1146: regexp.MustCompile(`^(Table '[^']*' doesn't exist)$`),
	1264: regexp.MustCompile(`^(Out of range value for column '[^']*')`),
	1265: regexp.MustCompile(`^(Data truncated for column '[^']*')`),
	1364: regexp.MustCompile(`^(Field '[^']*' doesn't have a default value)$`),
	1406: regexp.MustCompile(`^(Data too long for column '[^']*')`),
	1451: regexp.MustCompile("^Cannot delete or update a parent row: (a foreign key constraint fails \\(`.*\\))$"),
	1452: regexp.MustCompile("^Cannot add or update a child row: (a foreign key constraint fails \\(`.*\\))$"),
	1906: regexp.MustCompile(`^(The value specified for generated column '[^']*')`),
	3105: regexp.MustCompile(`^(The value specified for generated column '[^']*')`),
	3819: regexp.MustCompile(`^(Check constraint '[^']*' is violated)`),
	4025: regexp.MustCompile("^(CONSTRAINT `[^`]*` failed for `.*`)$"),
}

// kinds tells whom an error number concerns; absent numbers are internal.
var kinds = map[uint16]fault.Kind{
	1040: fault.Unavailable, 1044: fault.Denied, 1045: fault.Denied, 1049: fault.Unavailable, 1062: fault.Conflict,
	1142: fault.Denied, 1143: fault.Denied, 1146: fault.Conflict, 1205: fault.Unavailable, 1213: fault.Unavailable,
	1227: fault.Denied, 1290: fault.Unavailable, 1451: fault.Conflict, 1452: fault.Conflict, 1836: fault.Unavailable,
	1969: fault.Unavailable, 3024: fault.Unavailable, 3819: fault.Conflict, 4025: fault.Conflict,
}

// words are for the errors that operators meet most.
var words = map[uint16]string{
	1040: "too many connections", 1045: "the user or password is wrong, or the account asks for TLS", 1044: "the user may not use the database",
	1049: "there is no such database", 1205: "waited too long for a lock", 1213: "deadlock, the transaction was rolled back",
	1969: "the statement took too long", 3024: "the statement took too long", 1290: "the server is read-only",
	1836: "the server is read-only",
}

// fault turns any error of the driver or the server into one without values, keys or DSN. The
// original is dropped: a log must not get it either. Contexts' ends and faults stay.
func (s *store) fault(doing string, err error) error {
	var known *fault.Error
	var server *mysql.MySQLError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known):
		return err
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("%s in system %s: %w", doing, s.system, context.Canceled)
	case errors.Is(err, context.DeadlineExceeded):
		return fault.Wrap(fault.Unavailable, context.DeadlineExceeded, "system %s: %s took too long", s.system, doing)
	case errors.As(err, &server):
		return fault.New(kinds[server.Number], "system %s: %s failed with error %s", s.system, doing, describe(server))
	case errors.Is(err, mysql.ErrInvalidConn), errors.Is(err, driver.ErrBadConn):
		return fault.New(fault.Unavailable, "system %s: the connection broke while %s", s.system, doing)
	default:
		return fault.New(fault.Unavailable, "system %s does not answer", s.system)
	}
}

// describe gives number, state and what is safe of the message.
func describe(e *mysql.MySQLError) string {
	text := strconv.Itoa(int(e.Number))
	if w := words[e.Number]; w != "" {
		return text + ": " + w
	}
	if pattern := told[e.Number]; pattern != nil {
		if m := pattern.FindStringSubmatch(e.Message); m != nil {
			for i, part := range m[1:] {
				text += map[bool]string{true: ": ", false: " "}[i == 0] + part
			}
		}
	}
	return text
}
