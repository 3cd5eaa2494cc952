package api

import "github.com/ombudhq/ombud/access"

// things say what the ids in addresses name.
var things = access.Things{
	"/v1/requests/{id}":              "request",
	"/v1/consents/{id}":              "consent",
	"/v1/purposes/{id}":              "purpose",
	"/v1/propagations/{id}":          "propagation",
	"/v1/targets/{id}":               "target",
	"/v1/restrictions/{id}":          "restriction",
	"/v1/alarms/{id}":                "alarm",
	"/v1/resolutions/{id}":           "resolution",
	"/data-subject/access/{id}":      "person",
	"/data-subject/portability/{id}": "person",
	"/privacy/data-map/{id}":         "person",
}
