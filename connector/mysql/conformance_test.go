package mysql_test

import (
	"database/sql"
	"strings"
	"testing"

	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/connector/connectortest"
	"github.com/ombudhq/ombud/connector/mysql"
	"github.com/ombudhq/ombud/internal/testkit/mariatest"
)

func quote(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

func TestConformance(t *testing.T) {
	types := map[connector.Kind]string{
		connector.Text: "VARCHAR(190)", connector.Int: "BIGINT", connector.Decimal: "DECIMAL(12,2)",
		connector.Float: "DOUBLE", connector.Bytes: "VARBINARY(190)", connector.Time: "DATE",
		connector.JSON: "JSON", connector.UUID: "UUID",
	}
	if mariatest.MySQL(t) {
		delete(types, connector.UUID)
	}
	connectortest.Run(t, connectortest.Harness{
		Engine:  "mariadb|mysql",
		Open:    mysql.Open,
		Start:   start,
		Quote:   quote,
		Param:   func(int) string { return "?" },
		Types:   types,
		BigText: "LONGTEXT",
		Has: connectortest.Features{
			Enum: true, Generated: true, Checks: true, NulInText: true, NameRunes: 64, NoOuterBlanks: true,
			BMPNames: true, TypedColumns: true,
		},
		Unkeyed: connector.ByPredicate,
		AuditTrigger: func(name, table, column, into, intoColumn string) []string {
			return []string{"CREATE TRIGGER " + quote(name) + " AFTER DELETE ON " + quote(table) + " FOR EACH ROW INSERT INTO " +
				quote(into) + " (" + quote(intoColumn) + ") VALUES (OLD." + quote(column) + ")"}
		},
		Missing: connector.Config{System: "shop", DSN: "mysql://u:hunter2secret@127.0.0.1:1/shop"},
		Wrong:   connector.Config{System: "shop", DSN: "mysql://u:hunter2secret@127.0.0.1:1/"},
		Secret:  "hunter2secret",
	})
}

func start(t *testing.T) connectortest.System {
	dsn, other := mariatest.DSN(t), mariatest.DSN(t)
	db, err := sql.Open("mysql", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return connectortest.System{
		Config:      connector.Config{System: "shop", DSN: dsn},
		DB:          db,
		OtherSchema: mariatest.Database(t, other),
		Unprivileged: func(t *testing.T, table string) connector.Config {
			return connector.Config{System: "shop",
				DSN: mariatest.User(t, dsn, "SELECT ON "+quote(mariatest.Database(t, dsn))+"."+quote(table))}
		},
	}
}
