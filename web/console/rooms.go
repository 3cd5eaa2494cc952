package console

import (
	"maps"
	"slices"
)

// rooms are the addresses of the console and what answers there. What changes something is a POST, and only that.
func rooms() map[string]func(*visit) error {
	return map[string]func(*visit) error{
		"GET /{$}":                         (*visit).home,
		"GET /requests":                    (*visit).requests,
		"GET /requests/new":                (*visit).newRequest,
		"POST /requests":                   (*visit).takeIn,
		"GET /requests/{ref}":              (*visit).request,
		"POST /requests/{ref}/approve":     (*visit).approve,
		"POST /requests/{ref}/run":         (*visit).run,
		"POST /requests/{ref}/plan":        (*visit).planAgain,
		"POST /requests/{ref}/retry":       (*visit).retry,
		"POST /requests/{ref}/refuse":      (*visit).refuse,
		"POST /requests/{ref}/release":     (*visit).release,
		"GET /requests/{ref}/progress":     (*visit).progress,
		"GET /requests/{ref}/plan.json":    (*visit).planFile,
		"GET /requests/{ref}/receipt":      (*visit).receipt,
		"GET /requests/{ref}/opening":      (*visit).opening,
		"GET /requests/{ref}/package":      (*visit).packageFile,
		"GET /requests/{ref}/entries/{id}": (*visit).proofFile,

		"GET /people":                             (*visit).people,
		"POST /people/find":                       (*visit).find,
		"GET /people/{id}":                        (*visit).person,
		"POST /people/{id}/withdraw":              (*visit).withdraw,
		"POST /people/{id}/limit":                 (*visit).limit,
		"GET /people/{id}/consents/{con}/receipt": (*visit).consentReceipt,

		"GET /pseudonyms":               (*visit).pseudonyms,
		"POST /pseudonyms":              (*visit).askPseudonym,
		"POST /pseudonyms/{id}/approve": (*visit).approvePseudonym,
		"POST /pseudonyms/{id}/reveal":  (*visit).showPseudonym,

		"GET /consent":                           (*visit).consent,
		"GET /consent/purposes":                  (*visit).purposes,
		"GET /consent/purposes/{purpose}":        (*visit).purpose,
		"GET /consent/expiring":                  (*visit).expiring,
		"GET /consent/restrictions":              (*visit).restrictions,
		"POST /consent/restrictions/{fact}/lift": (*visit).lift,
		"POST /consent/targets/{target}/again":   (*visit).sendAgain,

		"GET /map":         (*visit).dataMap,
		"POST /map/answer": (*visit).answer,
		"GET /keys":        (*visit).keys,
	}
}

// Patterns are those of rooms and trust, and the accounts and entries, sorted, as net/http writes them: what a test of every
// page goes through. The pages of the door and of the own account want a session.
func Patterns() []string {
	all := append(slices.Collect(maps.Keys(rooms())), "GET "+roomAccounts, "GET "+roomLog)
	return slices.Sorted(slices.Values(slices.AppendSeq(all, maps.Keys(trust()))))
}
