package app

import (
	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/connector/mysql"
	"github.com/ombudhq/ombud/connector/postgres"
	"github.com/ombudhq/ombud/connector/sqlite"
)

// openers are the connectors of this program, by their name in ombud.yaml.
func openers() map[string]connector.Opener {
	return map[string]connector.Opener{
		"sqlite":   sqlite.Open,
		"postgres": postgres.Open,
		"mysql":    mysql.Open,
		"mariadb":  mysql.Open,
	}
}
