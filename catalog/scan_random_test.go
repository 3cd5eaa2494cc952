package catalog_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/ombudhq/ombud/catalog"
)

// TestScanOfRandomSchemas: whatever stands in a store, a scan ends; what it drafts is read again, and proposes nothing that the file
// says already, whether it was answered or not. (3,000 pairs of stores with OMBUD_SOAK.)
func TestScanOfRandomSchemas(t *testing.T) {
	seeds := 20
	if os.Getenv("OMBUD_SOAK") != "" {
		seeds = 3000
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(uint64(seed), 1))
			path := stores(t, "", map[string]string{"a": randomSchema(r), "b": randomSchema(r)})
			drafted, err := catalog.Draft(nil, scan(t, path))
			if err != nil {
				t.Fatal(err)
			}
			save(t, path, drafted)
			again, err := catalog.Draft(drafted, scan(t, path))
			if err != nil || string(again) != string(drafted) {
				t.Fatalf("a second scan changed the file: %v\n%s\n%s", err, drafted, again)
			}
			accepted, _, err := catalog.Answer(drafted, []string{catalog.All}, nil)
			if err != nil {
				t.Fatal(err)
			}
			save(t, path, accepted)
			scan(t, path)
		})
	}
}

var (
	randomNouns = strings.Fields(`user customer order order_line product invoice message messages_archive channel channel_member person account contact email_address email_list
		address review vote log_visit ticket user_profile users_cstm group_users shop_order_product "" "1" "--" "Größe" node entity_data auth_user session`)
	randomWords = strings.Fields(`user customer order product message owner parent author created_by assigned_to reviewer sort_order login username user_name email mail from to phone
		name first_name title body value old_value data created_at amount total ip uid key_user ref reference number iban birth_date lang field_type "" "2" "é" "x y"`)
	randomEnds = strings.Fields(`_id _no _type _uuid id s . . . .`)
)

// randomSchema is a handful of tables with names that mean something to the scan, or nothing, and rows that hold what they may.
func randomSchema(r *rand.Rand) string {
	pick := func(from []string) string { return strings.Trim(from[r.IntN(len(from))], `"`) }
	quoted := func(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }
	var script strings.Builder
	tables := map[string]bool{}
	var made []string
	for range 2 + r.IntN(7) {
		name := pick(randomNouns) + strings.Trim(pick(randomEnds), ".")
		if tables[strings.ToLower(name)] || strings.TrimSpace(name) == "" {
			continue
		}
		tables[strings.ToLower(name)] = true
		columns, have := []string{}, map[string]bool{}
		if r.IntN(5) > 0 {
			columns, have["id"] = append(columns, pick([]string{"id integer primary key", "id text primary key", "id blob primary key"})), true
		}
		for range 1 + r.IntN(8) {
			column := pick(randomWords) + strings.Trim(pick(randomEnds), ".")
			if have[strings.ToLower(column)] || column == "" {
				continue
			}
			have[strings.ToLower(column)] = true
			text := quoted(column) + " " + pick([]string{"integer", "text", "blob", "real", "varchar(40)", "json", "text unique", ""})
			if len(made) > 0 && r.IntN(4) == 0 {
				text += " references " + quoted(made[r.IntN(len(made))]) + " (id)"
			}
			columns = append(columns, text)
		}
		if len(columns) == 0 {
			continue
		}
		fmt.Fprintf(&script, "create table %s (%s);\n", quoted(name), strings.Join(columns, ", "))
		for row := range r.IntN(60) {
			cells := make([]string, len(columns))
			for i, c := range columns {
				cells[i] = randomCell(r, c, row)
			}
			fmt.Fprintf(&script, "insert or ignore into %s values (%s);\n", quoted(name), strings.Join(cells, ", "))
		}
		if have["id"] {
			made = append(made, name)
		}
	}
	if script.Len() == 0 {
		return "create table t (id integer primary key);"
	}
	return script.String()
}

func randomCell(r *rand.Rand, column string, row int) string {
	n := row*(1+r.IntN(2)) + 1
	switch {
	case strings.Contains(column, "blob"):
		return fmt.Sprintf("x'%032x'", n)
	case r.IntN(8) == 0 && !strings.HasPrefix(column, "id "):
		return "null"
	case strings.Contains(column, "mail") || strings.Contains(column, `"from`):
		return mail(n % 40)
	case strings.Contains(column, "login") || strings.Contains(column, "user_name"):
		return fmt.Sprintf("'ida%d'", n)
	case strings.Contains(column, "type"):
		return fmt.Sprintf("'%s'", []string{"User", "order", "", "Principal", "X"}[n%5])
	case strings.Contains(column, "json"):
		return fmt.Sprintf(`'[%d, "%d"]'`, n, n+1)
	case strings.Contains(column, "uuid"):
		return fmt.Sprintf("'%08x-0000-4000-8000-%012x'", 7, n)
	case strings.Contains(column, "phone"):
		return fmt.Sprintf("'+479000%04d'", n)
	case strings.Contains(column, "body") || strings.Contains(column, "title"):
		return fmt.Sprintf("'Please write to person%d@example.com about this'", n)
	}
	return fmt.Sprint(n)
}
