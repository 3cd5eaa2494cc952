package plan_test

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/plan"
)

// cipher is n bytes that look encrypted, always the same.
func cipher(n int) string {
	var b strings.Builder
	for i := 0; b.Len() < n; i++ {
		h := sha256.Sum256([]byte{byte(i)})
		b.Write(h[:])
	}
	return b.String()[:n]
}

// cases is a table whose rows hold what nobody can read: encrypted bytes and an encrypted text. Beside
// them stand a picture's digest and readable codings, which are no secret.
func cases(rule catalog.TableRule) trap {
	rule.Table = "cases"
	add := "alter table cases add column sealed "
	insert := fmt.Sprintf(`insert into cases values (1, 1, '%s', '%s', '%x', %%s), (2, 2, '%s', 'b', 'c', %%s)`,
		base64.StdEncoding.EncodeToString([]byte(cipher(100))), base64.StdEncoding.EncodeToString([]byte("this is plain text, only packed for the road")),
		cipher(32), base64.StdEncoding.EncodeToString([]byte(cipher(90))))
	raw := fmt.Sprintf("%x", cipher(120))
	fill := func(literal string) string {
		return fmt.Sprintf(insert, fmt.Sprintf(literal, raw), fmt.Sprintf(literal, raw))
	}
	return trap{
		tables: customers + `
create table cases (id integer primary key, customer_id integer not null references customers(id), notes text, packed text, checksum varchar(64));`,
		extra: map[string]string{
			"sqlite": add + "blob;\n" + fill("x'%s'"), "postgres": add + "bytea;\n" + fill(`'\x%s'`), "mariadb": add + "blob;\n" + fill("x'%s'"),
		},
		system: catalog.System{Tables: []catalog.TableRule{rule}},
	}
}

func TestTrap14CellsNobodyCanRead(t *testing.T) {
	gaps := func(o *plan.Outcome) string {
		var out []string
		for _, g := range o.Gaps {
			out = append(out, fmt.Sprint(g.Code, " ", g.Dataset, " ", g.Rows, " ", strings.SplitN(g.Why, " cannot", 2)[0]))
		}
		return strings.Join(out, "; ")
	}
	both := []string{"notes", "sealed"}
	for name, c := range map[string]struct {
		rule   catalog.TableRule
		erased string
		given  string
	}{
		"gone":     {catalog.TableRule{Erase: catalog.Delete}, "", "opaque cases 1 cells of notes, sealed"},
		"kept":     {catalog.TableRule{Erase: catalog.Keep, Because: "law"}, "opaque cases 1 cells of notes, sealed", "opaque cases 1 cells of notes, sealed"},
		"answered": {catalog.TableRule{Erase: catalog.Keep, Because: "law", Opaque: both}, "", ""},
		"replaced": {catalog.TableRule{Erase: catalog.Anonymise, Columns: both}, "", "opaque cases 1 cells of notes, sealed"},
		"in part":  {catalog.TableRule{Erase: catalog.Anonymise, Columns: []string{"notes"}}, "opaque cases 1 cells of sealed", "opaque cases 1 cells of notes, sealed"},
		"half":     {catalog.TableRule{Erase: catalog.Redact, Columns: []string{"notes"}, Opaque: []string{"sealed"}}, "", "opaque cases 1 cells of notes"},
	} {
		t.Run(name, func(t *testing.T) {
			cases(c.rule).spring(t, func(t *testing.T, tr *trapped) {
				_, given := tr.export(t)
				status := plan.Complete
				if c.erased != "" {
					status = plan.Incomplete
				}
				o := tr.erase(t, status)
				if gaps(o) != c.erased || gaps(given) != c.given {
					t.Errorf("erasure %q, access %q", gaps(o), gaps(given))
				}
				if (given.Status == plan.Complete) != (c.given == "") {
					t.Errorf("the package is %s", given.Status)
				}
			})
		})
	}
}
