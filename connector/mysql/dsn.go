package mysql

import (
	"net"
	"net/url"
	"strings"
	"time"

	driver "github.com/go-sql-driver/mysql"

	"github.com/ombudhq/ombud/internal/fault"
)

// parseDSN reads both forms. What answers depend on is set here and cannot be set otherwise; no
// error repeats any part of the DSN.
func parseDSN(system, dsn string) (*driver.Config, error) {
	bad := func(what string) error {
		return fault.New(fault.Invalid, "system %s: the DSN %s", system, what).
			Then("write mysql://user:password@host:3306/database")
	}
	parse := driver.ParseDSN
	if strings.HasPrefix(dsn, "mysql://") || strings.HasPrefix(dsn, "mariadb://") {
		parse = parseURL
	}
	c, err := parse(dsn)
	if err != nil {
		return nil, bad("cannot be read")
	}
	if c.DBName == "" {
		return nil, bad("names no database")
	}
	c.Params = nil
	c.ParseTime, c.Loc = false, time.UTC
	c.ClientFoundRows, c.MultiStatements, c.InterpolateParams = true, false, false
	c.AllowAllFiles = false
	c.Collation = "utf8mb4_general_ci"
	c.MaxAllowedPacket = 0 // the server's
	c.Logger = &driver.NopLogger{}
	return c, nil
}

// parseURL reads mysql://user:password@host:port/database?tls=…&socket=….
func parseURL(dsn string) (*driver.Config, error) {
	u, err := url.Parse(dsn)
	if err != nil {
		return nil, err
	}
	if strings.Contains(u.Host, "(") { // half of the driver's own form
		return nil, fault.New(fault.Invalid, "no host")
	}
	c := driver.NewConfig()
	c.User = u.User.Username()
	c.Passwd, _ = u.User.Password()
	c.DBName = strings.TrimPrefix(u.Path, "/")
	port := u.Port()
	if port == "" {
		port = "3306"
	}
	c.Net, c.Addr = "tcp", net.JoinHostPort(u.Hostname(), port)
	for name, values := range u.Query() {
		switch name {
		case "socket":
			c.Net, c.Addr = "unix", values[0]
		case "tls":
			c.TLSConfig = values[0]
		default:
			return nil, fault.New(fault.Invalid, "unknown option")
		}
	}
	// Through the driver's own form, which completes and checks the rest.
	return driver.ParseDSN(c.FormatDSN())
}

// limitWaits makes a dead network an error.
func limitWaits(c *driver.Config, statement time.Duration) {
	if c.Timeout == 0 {
		c.Timeout = 10 * time.Second
	}
	c.ReadTimeout = statement + 2*grace
	c.WriteTimeout = statement + 2*grace
}
