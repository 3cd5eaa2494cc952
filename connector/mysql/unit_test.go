package mysql

import (
	"strings"
	"testing"

	driver "github.com/go-sql-driver/mysql"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/internal/fault"
)

func TestDSN(t *testing.T) {
	for dsn, want := range map[string]string{
		"mysql://ann:p%40ss@db.example:3307/shop":       "ann|p@ss|tcp|db.example:3307|shop",
		"mariadb://ann:x@db/shop":                       "ann|x|tcp|db:3306|shop",
		"mysql://ann@[::1]/shop":                        "ann||tcp|[::1]:3306|shop",
		"mysql://ann:p%2Fw:x@/shop?socket=/run/my.sock": "ann|p/w:x|unix|/run/my.sock|shop",
		"ann:x@tcp(db:3306)/shop":                       "ann|x|tcp|db:3306|shop",
		"ann:x@unix(/run/my.sock)/shop?parseTime=true&multiStatements=true&sql_mode=''": "ann|x|unix|/run/my.sock|shop",
	} {
		c, err := parseDSN("shop", dsn)
		if err != nil {
			t.Errorf("%s: %v", dsn, err)
			continue
		}
		got := strings.Join([]string{c.User, c.Passwd, c.Net, c.Addr, c.DBName}, "|")
		if got != want || c.ParseTime || c.MultiStatements || !c.ClientFoundRows || len(c.Params) > 0 {
			t.Errorf("%s is read as %s", dsn, got)
		}
	}
	for _, dsn := range []string{"", "secret", "mysql://u:secret@h/", "mysql://u:secret@h:port/x", "mysql://u:secret@h/x?allowAllFiles=true", "mysql://u:sec%zzret@h/x", "mysql://u:secret@unix(/run/my.sock)/x", "u:secret@tcp(h/x"} {
		if _, err := parseDSN("shop", dsn); fault.KindOf(err) != fault.Invalid || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", dsn, err)
		}
	}
}

func TestOldServersAreRefused(t *testing.T) {
	for version, want := range map[string]bool{"5.7.44-log": true, "8.0.18": true, "8.0.19": false, "8.4.7-lts": false, "9.7.4-2": false, "10.11.6": false} {
		if got := (&store{engine: "mysql", version: version}).tooOld(); got != want {
			t.Errorf("MySQL %s is too old: %v", version, got)
		}
	}
	if (&store{engine: "mariadb", version: "5.5.5-10.11.6-MariaDB"}).tooOld() {
		t.Error("a MariaDB counts as a MySQL")
	}
}

func TestExpressionsHoldNoCharacterThatOldServersLose(t *testing.T) {
	if got, want := escape("a.👍名"), `a\..名`; got != want {
		t.Errorf("the expression is %q, want %q", got, want)
	}
}

func TestErrorsHoldNoValues(t *testing.T) {
	s := &store{system: "shop"}
	for message, want := range map[string]struct {
		number uint16
		text   string
	}{
		"Duplicate entry 'secret' for key 'mail'":                         {1062, "1062: for key 'mail'"},
		"Duplicate entry 'x' for key 'secret' for key 'PRIMARY'":          {1062, "1062: for key 'PRIMARY'"},
		"Incorrect string value: '\\xF0secret' for column `a`.`b`.`c`":    {1366, "1366"},
		"You have an error in your SQL syntax; near 'secret'' at line 1":  {1064, "1064"},
		"Truncated incorrect DOUBLE value: 'secret'":                      {1292, "1292"},
		"Data too long for column 'note' at row 1":                        {1406, "1406: Data too long for column 'note'"},
		"CONSTRAINT `sane` failed for `shop`.`people`":                    {4025, "4025: CONSTRAINT `sane` failed for `shop`.`people`"},
		"DELETE command denied to user 'secret'@'h' for table `shop`.`p`": {1142, "1142: DELETE command denied for table `shop`.`p`"},
		"Access denied for user 'secret'@'localhost'":                     {1045, "1045: the user or password is wrong, or the account asks for TLS"},
	} {
		err := s.fault("reading", &driver.MySQLError{Number: want.number, Message: message})
		if !strings.HasSuffix(err.Error(), "error "+want.text) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%d gives %v", want.number, err)
		}
	}
}

func TestGrants(t *testing.T) {
	g := grants{}
	for _, line := range []string{
		"GRANT `rr` TO `tab`@`%`", "GRANT USAGE ON *.* TO `u`@`%` IDENTIFIED BY PASSWORD '*1'", "GRANT SELECT, INSERT (`a`, `b`), DELETE HISTORY ON `shop\\_1`.* TO `u`@`%`",
		"GRANT ALL PRIVILEGES ON `t%`.* TO `u`@`%` WITH GRANT OPTION", "GRANT UPDATE, SELECT (`x`) ON `it``s`.`a.b` TO `u`@`%`", "GRANT PROXY ON ''@'%' TO 'root'@'localhost'",
	} {
		if one, ok := parseGrant(line); ok {
			g.list = append(g.list, one)
		}
	}
	for _, c := range []struct {
		schema, table string
		want          connector.Rights
	}{
		{"shop_1", "x", connector.Rights{Select: true, DeleteHistory: true}},
		{"shopx1", "x", connector.Rights{}},
		{"tee", "x", connector.Rights{Select: true, Insert: true, Update: true, Delete: true, DeleteHistory: true}},
		{"it`s", "a.b", connector.Rights{Update: true}},
	} {
		if diff := cmp.Diff(c.want, g.on(c.schema, c.table)); diff != "" {
			t.Errorf("%s.%s (-want +got):\n%s", c.schema, c.table, diff)
		}
	}
}

// A literal must end where it should, whether or not backslashes escape.
func TestQuoteIsSafeInBothModes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringOf(rapid.SampledFrom([]rune{'\'', '\\', '"', 'a', 0, '\n', 'ä', '`'})).Draw(t, "s")
		q := quote(s)
		if strings.Contains(q, `\`) || strings.Contains(q, "\x00") {
			t.Fatalf("%q holds what modes read differently", q)
		}
		if body, ok := strings.CutPrefix(q, "'"); ok {
			body = strings.TrimSuffix(body, "'")
			if strings.ReplaceAll(body, "''", "'") != s || strings.Contains(strings.ReplaceAll(body, "''", ""), "'") {
				t.Fatalf("%q is not %q", q, s)
			}
		}
	})
}

func TestConvertRefuses(t *testing.T) {
	s := &store{}
	for _, c := range []struct {
		typ  connector.Column
		v    connector.Value
		want string // "" when refused
	}{
		{connector.Column{Type: "tinyint(4)", Kind: connector.Int}, connector.IntValue(128), ""},
		{connector.Column{Type: "tinyint(4)", Kind: connector.Int}, connector.IntValue(-128), "-128"},
		{connector.Column{Type: "int(10) unsigned", Kind: connector.Int, Unsigned: true}, connector.IntValue(-1), ""},
		{connector.Column{Type: "bit(3)", Kind: connector.Int, Precision: 3}, connector.IntValue(8), ""},
		{connector.Column{Type: "bigint(20)", Kind: connector.Int}, connector.Value{Kind: connector.Decimal, S: "100.00"}, "100"},
		{connector.Column{Type: "bigint(20)", Kind: connector.Int}, connector.Value{Kind: connector.Decimal, S: "100"}, "100"},
		{connector.Column{Type: "decimal(5,2)", Kind: connector.Decimal, Precision: 5, Scale: 2}, connector.IntValue(12), "12.00"},
		{connector.Column{Type: "decimal(5,2)", Kind: connector.Decimal, Precision: 5, Scale: 2}, connector.IntValue(1000), ""},
		{connector.Column{Type: "decimal(5,2)", Kind: connector.Decimal, Precision: 5, Scale: 2}, connector.TextValue("1.005"), ""},
		{connector.Column{Type: "varchar(3)", Kind: connector.Text, Length: 3}, connector.TextValue("äöüß"), ""},
		{connector.Column{Type: "varchar(3)", Kind: connector.Text, Length: 3}, connector.TextValue("a\xff"), ""},
		{connector.Column{Type: "date", Kind: connector.Time}, connector.TextValue("2024-02-30"), ""},
		{connector.Column{Type: "date", Kind: connector.Time}, connector.TextValue("2024-02-29T00:00:00"), "2024-02-29"},
		{connector.Column{Type: "datetime(3)", Kind: connector.Time, Scale: 3}, connector.TextValue("2024-02-29T10:00:00.5+02:00"), "2024-02-29 08:00:00.500"},
		{connector.Column{Type: "datetime", Kind: connector.Time}, connector.TextValue("2024-02-29 25:00:00"), ""},
		{connector.Column{Type: "binary(16)", Kind: connector.Bytes, Bytes: 16}, connector.TextValue("short"), ""},
		{connector.Column{Type: "uuid", Kind: connector.UUID}, connector.TextValue("' OR 1"), ""},
		{connector.Column{Type: "longtext", Kind: connector.JSON}, connector.TextValue("{"), ""},
	} {
		got, ok := s.Convert(c.v, &c.typ)
		if ok != (c.want != "") || got.S != c.want {
			t.Errorf("%q as %s: %q, %v", c.v.S, c.typ.Type, got.S, ok)
		}
	}
}

func TestKeysThatCannotBeToldApartCloseTheTable(t *testing.T) {
	key := func(column string) connector.ForeignKey {
		return connector.ForeignKey{Name: "cut", Columns: []string{column}, RefSchema: "s", RefTable: "P", RefColumns: []string{"id"}}
	}
	for _, stated := range [][]connector.ForeignKey{nil, {key("a")}, {key("a"), key("c")}, {key("a"), key("b")}} {
		c := &catalog{schema: &connector.Schema{}}
		child := &connector.Table{Name: "c", Rights: connector.Rights{Select: true, Delete: true}}
		var whole []bool
		for _, column := range []string{"a", "b"} {
			whole = append(whole, addKeyPart(child, connector.ForeignKey{Name: "cut", RefSchema: "s", RefTable: "p"}, column, "id", 1))
		}
		if !cmp.Equal(whole, []bool{true, false}) {
			t.Fatalf("keys of one name are taken for whole: %v", whole)
		}
		c.takeKeys(child, stated)
		told := len(stated) == 2 && stated[1].Columns[0] == "b"
		if c.schema.Partial == told || (len(c.schema.Notes) == 1) == told || (child.Rights == connector.Rights{}) == told || len(child.ForeignKeys) != map[bool]int{true: 2}[told] {
			t.Errorf("told %v of %v: %+v %+v", told, stated, child, c.schema)
		}
	}
}

// TestKeysOfOlderServers: MariaDB before 10.11.19 leaves a ` single in the names of a key.
func TestKeysOfOlderServers(t *testing.T) {
	want := connector.ForeignKey{Name: "x`63_ibfk_2", Columns: []string{"w, `(", "v"}, RefSchema: "s", RefTable: "p`", RefColumns: []string{"a", "b"},
		OnDelete: connector.SetNull, OnUpdate: connector.Restrict}
	for _, line := range []string{
		"  CONSTRAINT `x``63_ibfk_2` FOREIGN KEY (`w, ``(`, `v`) REFERENCES `p``` (`a`, `b`) ON DELETE SET NULL,",
		"  CONSTRAINT `x`63_ibfk_2` FOREIGN KEY (`w, `(`, `v`) REFERENCES `p`` (`a`, `b`) ON DELETE SET NULL",
	} {
		got, ok := statedKey(line, "s")
		if d := cmp.Diff(want, got); !ok || d != "" {
			t.Errorf("%s\n%s", line, d)
		}
	}
}

// An index for folded text is one on the column: these engines fold by collation, and its name says the column.
func TestIndexStatement(t *testing.T) {
	table := &connector.Table{Schema: "shop", Name: "orders", Columns: []connector.Column{{Name: "email", Type: "varchar(80)"}, {Name: "note", Type: "text"}}}
	want := "ALTER TABLE `shop`.`orders` ADD INDEX `ombud_email_note` (`email`, `note`(191))"
	if got := (&store{}).IndexStatement(table, []string{"lower(email)", "note"}); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
