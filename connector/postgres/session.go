package postgres

import (
	"strconv"
	"strings"
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
	}
}

// firstSchema is the first plain name of a search path, "public" without one.
func firstSchema(path string) string {
	first, _, _ := strings.Cut(path, ",")
	first = strings.TrimSpace(first)
	if first == "" || first == `"$user"` {
		return "public"
	}
	if len(first) > 1 && strings.HasPrefix(first, `"`) && strings.HasSuffix(first, `"`) {
		return strings.ReplaceAll(first[1:len(first)-1], `""`, `"`)
	}
	return strings.ToLower(first)
}
