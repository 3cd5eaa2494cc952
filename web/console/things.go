package console

import "github.com/ombudhq/ombud/access"

// things say what the ids in addresses name.
var things = access.Things{
	"/requests/{ref}":              "request",
	"/requests/{ref}/entries/{id}": "entry",
	"/people/{id}":                 "person",
	"/pseudonyms/{id}":             "resolution",
	"/people/{id}/consents/{con}":  "consent",
	"/consent/purposes/{purpose}":  "purpose",
	"/consent/restrictions/{fact}": "restriction",
	"/consent/targets/{target}":    "target",
	"/sign-in/with/{provider}":     "provider",
	"/sign-in/from/{provider}":     "provider",
	"/sign-out/from/{provider}":    "provider",
	"/alarms/{id}":                 "alarm",
	"/account/passkeys/{key}":      "passkey",
	"/accounts/{id}":               "account",
	"/api-keys/{id}":               "key",
	"/backups/{name}":              "backup",
}
