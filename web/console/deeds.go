package console

import (
	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/request"
	"github.com/ombudhq/ombud/subject"
)

// deed is a kind of entry in words; an unknown one is shown as it is.
func deed(entry string, kind plan.Kind) string {
	if entry == "request.completed" && kind == plan.Access {
		return "answered with a package"
	}
	if words, ok := deeds[entry]; ok {
		return words
	}
	return entry
}

var deeds = map[string]string{
	"request.planned":     "planned",
	"request.approved":    "plan approved",
	"request.run":         "run begun",
	"request.retried":     "tried again",
	"request.drifted":     "the data moved, planned again",
	"request.completed":   "done and proven",
	"request.incomplete":  "run ended, something remains",
	"request.failed":      "run failed",
	"request.refused":     "refused",
	"request.expired":     "identities destroyed, the time for review is over",
	"package.made":        "package made",
	"package.released":    "held text released by a person",
	request.KindHandedOut: "package handed out",
	"erasure.verified":    "erasure looked at again",
	"erasure.repeated":    "a restored system erased again",

	subject.HoldAdded:        "hold set",
	subject.HoldReleased:     "hold ended",
	subject.RestrictionAdded: "somebody's data restricted",
	subject.RestrictionEnded: "restriction lifted",
	subject.ObjectionAdded:   "somebody objected",
	subject.ObjectionEnded:   "objection lifted",
	"purpose.changed":        "purposes changed",
	"purpose.minimised":      "fields left out of a record",
	"propagation.alarm":      "a service has not heard, or has not said that it acted",

	"account.created":    "account made",
	"account.changed":    "account changed",
	"session.began":      "signed in",
	"session.code-sent":  "code sent by e-mail",
	"session.ended":      "signed out",
	"session.refused":    "sign-in refused",
	"elevation.began":    "glass broken",
	"elevation.ended":    "elevation ended",
	"alarm.reviewed":     "alarm closed",
	"key.created":        "API key made",
	"key.revoked":        "API key revoked",
	"pseudonym.made":     "pseudonym made",
	"pseudonym.asked":    "asked who a pseudonym is",
	"pseudonym.approved": "agreed that a pseudonym may be told",
	"pseudonym.revealed": "told who a pseudonym is",

	"backup.created":  "backup made",
	"ledger.read":     "log read",
	"ledger.expired":  "what entries held has ended with its time",
	"ledger.restored": "an older state taken up again",
	"subject.read":    "what one person chose was read",
	"vault.copied":    "keys copied",
	"vault.sealed":    "root key sealed, or opened again",
	"vault.unsealed":  "passphrase given to the server",
	"vault.guessed":   "wrong passphrases",
	"vault.restored":  "keys brought back from a copy",
	"vault.rotated":   "keys made new",
}
