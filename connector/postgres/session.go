package postgres

import (
	"strconv"
	"time"
)

// pinned are the settings that could change what a statement means or how a cell is written.
func pinned(timeout time.Duration) map[string]string {
	return map[string]string{
		"application_name":            "ombud",
		"statement_timeout":           strconv.FormatInt(max(1, timeout.Milliseconds()), 10),
		"row_security":                "off",
		"search_path":                 "pg_catalog",
		"standard_conforming_strings": "on",
		"client_encoding":             "UTF8",
		"DateStyle":                   "ISO",
		"IntervalStyle":               "postgres",
		"TimeZone":                    "UTC",
		"extra_float_digits":          "1",
		"bytea_output":                "hex",
		// Keys travel as arrays, whose length a plan cannot know: one plan for all, not one each time.
		"plan_cache_mode": "force_generic_plan",
	}
}

// ownPath sets, until the end of the transaction, the search_path of the DSN, else of the role and
// database, else PostgreSQL's, and gives it.
const ownPath = `SELECT set_config('search_path', COALESCE(NULLIF($1, ''), (
	SELECT substr(o, length('search_path=') + 1)
	FROM pg_db_role_setting s CROSS JOIN unnest(s.setconfig) o
	WHERE o LIKE 'search_path=%' AND s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
		AND s.setrole IN (0, (SELECT oid FROM pg_roles WHERE rolname = current_user))
	ORDER BY s.setrole <> 0 DESC, s.setdatabase <> 0 DESC LIMIT 1), '"$user", public'), true)`
