package console

import (
	"net/http"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/ledger"
)

// What a route may need beside a permission.
const (
	anybody access.Permission = "anybody" // the door: nobody has to be signed in
	begun   access.Permission = "begun"   // a session, be it half way
)

// permissions says what each route needs. It is the one place: a route that does not stand here lets nobody in.
var permissions = map[string]access.Permission{
	"GET /{$}":                         begun,
	"GET /requests":                    access.RequestRead,
	"GET /requests/new":                access.RequestPlan,
	"POST /requests":                   access.RequestPlan,
	"GET /requests/{ref}":              access.RequestRead,
	"POST /requests/{ref}/approve":     access.RequestApprove,
	"POST /requests/{ref}/run":         access.RequestApprove,
	"POST /requests/{ref}/plan":        access.RequestPlan,
	"POST /requests/{ref}/retry":       access.RequestApprove,
	"POST /requests/{ref}/refuse":      access.RequestPlan,
	"POST /requests/{ref}/release":     access.RequestApprove,
	"GET /requests/{ref}/progress":     access.RequestRead,
	"GET /requests/{ref}/plan.json":    access.RequestRead,
	"GET /requests/{ref}/receipt":      access.ReceiptRead,
	"GET /requests/{ref}/opening":      access.ReceiptRead,
	"GET /requests/{ref}/package":      access.PackageRead,
	"GET /requests/{ref}/entries/{id}": access.ReceiptRead,
	"GET /map":                         access.CatalogRead,
	"POST /map/answer":                 access.CatalogWrite,
	"GET /keys":                        begun,

	"GET /people":                             access.ConsentRead,
	"POST /people/find":                       access.ConsentRead,
	"GET /people/{id}":                        access.PersonRead,
	"POST /people/{id}/withdraw":              access.ConsentWrite,
	"POST /people/{id}/limit":                 access.RestrictionWrite,
	"GET /people/{id}/consents/{con}/receipt": access.PersonRead,

	"GET /pseudonyms":               access.PseudonymRead,
	"POST /pseudonyms":              access.PseudonymResolve,
	"POST /pseudonyms/{id}/approve": access.PseudonymResolve,
	"POST /pseudonyms/{id}/reveal":  access.PseudonymResolve,

	"GET /consent":                           access.PurposeRead,
	"GET /consent/purposes":                  access.PurposeRead,
	"GET /consent/purposes/{purpose}":        access.PurposeRead,
	"GET /consent/expiring":                  access.ConsentRead,
	"GET /consent/restrictions":              access.ConsentRead,
	"POST /consent/restrictions/{fact}/lift": access.RestrictionWrite,
	"POST /consent/targets/{target}/again":   access.EventReplay,

	"GET /log": access.LedgerRead,

	"GET /sign-in/with/{provider}":   anybody,
	"GET /sign-in/from/{provider}":   anybody,
	"POST /sign-out/from/{provider}": anybody, // who shows a token that a provider signed
	"POST /people/{id}/reveal":       access.ValueReveal,
	"GET /why":                       begun,
	"POST /why":                      begun,
	"GET /alarms":                    access.AlarmRead,
	"POST /alarms/{id}/review":       access.AlarmReview,
	"POST /alarms/{id}/end":          access.AlarmReview,
	"POST /account/elevate":          access.ElevationTake,
	"POST /account/elevate/end":      access.ElevationTake,

	"GET /sign-in":                 anybody,
	"POST /sign-in":                anybody,
	"GET /sign-in/code":            begun,
	"POST /sign-in/code":           begun,
	"POST /sign-in/mail":           begun,
	"POST /account/factor/mail":    begun,
	"GET /setup":                   anybody,
	"POST /setup":                  anybody,
	"POST /sign-in/passkey":        anybody,
	"POST /account/passkeys":       begun,
	"POST /account/passkeys/made":  begun,
	"POST /account/passkeys/{key}": access.SelfManage,
	"POST /sign-out":               begun,
	"GET /account":                 access.SelfManage,
	"POST /account/password":       access.SelfManage,
	"POST /account/factor":         access.SelfManage,
	"GET /account/factor":          begun,
	"POST /account/factor/confirm": begun,
	"POST /account/codes":          access.SelfManage,
	"POST /account/sessions":       access.SelfManage,
	"POST /account/bearer":         access.SelfManage,

	"GET /accounts":                  access.AccountManage,
	"POST /accounts":                 access.AccountManage,
	"GET /accounts/{id}":             access.AccountManage,
	"POST /accounts/{id}/role":       access.AccountManage,
	"POST /accounts/{id}/attributes": access.AccountManage,
	"POST /accounts/{id}/email":      access.AccountManage,
	"POST /accounts/{id}/disable":    access.AccountManage,
	"POST /accounts/{id}/enable":     access.AccountManage,
	"POST /accounts/{id}/sessions":   access.AccountManage,
	"POST /accounts/{id}/link":       access.AccountManage,
	"POST /accounts/{id}/reset":      access.AccountManage,

	"GET /roles":                  begun,
	"GET /api-keys":               access.KeyManage,
	"POST /api-keys":              access.KeyManage,
	"POST /api-keys/{id}/revoke":  access.KeyManage,
	"GET /log/looks":              access.LookRead,
	"POST /log/looks":             access.LookRead,
	"GET /log/checkpoints":        access.LedgerRead,
	"POST /log/verify":            access.LedgerRead,
	"GET /log/checkpoint":         access.LedgerRead,
	"GET /log/key":                access.LedgerRead,
	"GET /backups":                access.SystemRead,
	"POST /backups/{name}/verify": access.SystemRead,
	"GET /encryption":             access.SystemRead,
}

// people are the rooms of accounts, and of the door.
func people() map[string]func(*visit) error {
	return map[string]func(*visit) error{
		"GET /log":                       (*visit).log,
		"GET /sign-in/with/{provider}":   (*visit).toProvider,
		"GET /sign-in/from/{provider}":   (*visit).fromProvider,
		signedOutThere:                   (*visit).signedOutThere,
		"GET /why":                       (*visit).why,
		"POST /why":                      (*visit).giveWhy,
		"GET /alarms":                    (*visit).alarms,
		"POST /alarms/{id}/review":       (*visit).reviewAlarm,
		"POST /alarms/{id}/end":          (*visit).endElevation,
		"POST /account/elevate":          (*visit).elevate,
		"POST /account/elevate/end":      (*visit).endOwnElevation,
		"POST /people/{id}/reveal":       (*visit).reveal,
		"GET /sign-in":                   (*visit).door,
		"POST /sign-in":                  (*visit).signIn,
		"GET /sign-in/code":              (*visit).askCode,
		"POST /sign-in/code":             (*visit).giveCode,
		"POST /sign-in/mail":             (*visit).sendCode,
		"POST /account/factor/mail":      (*visit).chooseMail,
		"GET /setup":                     (*visit).setup,
		"POST /setup":                    (*visit).setUp,
		"POST /sign-in/passkey":          (*visit).signInByPasskey,
		"POST /account/passkeys":         (*visit).beginPasskey,
		"POST /account/passkeys/made":    (*visit).confirmPasskey,
		"POST /account/passkeys/{key}":   (*visit).removePasskey,
		"POST /sign-out":                 (*visit).signOut,
		"GET /account":                   (*visit).account,
		"POST /account/password":         (*visit).changePassword,
		"POST /account/factor":           (*visit).beginFactor,
		"GET /account/factor":            (*visit).factor,
		"POST /account/factor/confirm":   (*visit).confirmFactor,
		"POST /account/codes":            (*visit).newCodes,
		"POST /account/sessions":         (*visit).endOwn,
		"POST /account/bearer":           (*visit).bearer,
		"GET /accounts":                  (*visit).accounts,
		"POST /accounts":                 (*visit).makeAccount,
		"GET /accounts/{id}":             (*visit).oneAccount,
		"POST /accounts/{id}/role":       (*visit).setRole,
		"POST /accounts/{id}/attributes": (*visit).setAttributes,
		"POST /accounts/{id}/email":      (*visit).setEmail,
		"POST /accounts/{id}/disable":    managed((*access.Accounts).Disable),
		"POST /accounts/{id}/enable":     managed((*access.Accounts).Enable),
		"POST /accounts/{id}/sessions":   managed((*access.Accounts).EndSessions),
		"POST /accounts/{id}/link":       linked((*access.Accounts).SetupLink),
		"POST /accounts/{id}/reset":      linked((*access.Accounts).Reset),
	}
}

// gated lets in who may, before anything of the request is read, and a form only with the token of its session;
// what a provider sends is no form of ours.
func gated(pattern string, show func(*visit) error) func(*visit) error {
	need, of := permissions[pattern], things.Outermost(pattern)
	return func(v *visit) error {
		if v.of = of; need != begun && need != anybody {
			v.r = v.r.WithContext(ledger.Doing(v.r.Context(), string(need), of.Of(v.r.PathValue(of.Wildcard), need)))
		}
		turned, err := v.turnAway(need)
		if err != nil && v.r.Method == http.MethodPost {
			err = v.withWhy(need, err)
		}
		if turned || err != nil {
			return err
		}
		if v.r.Method == http.MethodPost && pattern != signedOutThere {
			if err := v.checkForm(); err != nil {
				return err
			}
		}
		return show(v)
	}
}

// inside is for whoever is signed in, be it half way, and reads nothing.
func inside(show func(*visit) error) func(*visit) error {
	return func(v *visit) error {
		if turned, err := v.turnAway(begun); turned || err != nil {
			return err
		}
		return show(v)
	}
}

// turnAway sends who is not signed in to the door, and who is half way to the next step; who may not is told so.
func (v *visit) turnAway(need access.Permission) (turned bool, err error) {
	if need == anybody {
		return false, nil
	}
	stage := v.stage()
	if need == begun && stage != access.Outside && (stage == access.SignedIn || v.isStep()) {
		return false, nil
	}
	if stage != access.SignedIn {
		return v.toStep(stage)
	}
	return v.judged(need)
}

// stage is how far the visitor has come; who started us, while there is no account, is in.
func (v *visit) stage() access.Stage {
	if v.caller.Role == access.Local {
		return access.SignedIn
	}
	return v.Accounts.StageOf(v.caller)
}

// steps are where each stage goes on.
var steps = map[access.Stage]string{access.Outside: "/sign-in", access.AskCode: "/sign-in/code", access.AskSetup: "/account/factor"}

// isStep tells whether this is where somebody half way goes on, or leaves.
func (v *visit) isStep() bool {
	switch v.r.URL.Path {
	case "/sign-out", "/sign-in/code", "/sign-in/mail", "/account/factor", "/account/factor/confirm", "/account/factor/mail", "/account/passkeys", "/account/passkeys/made":
		return true
	}
	return false
}

func (v *visit) toStep(stage access.Stage) (turned bool, err error) {
	if v.r.Method != http.MethodGet {
		return false, fault.New(fault.Denied, "you are not signed in; nothing was changed").Then("Sign in, and do it again.")
	}
	return true, v.seeOther(steps[stage])
}

// may tells whether the visitor has a permission: what they may not do is not offered.
func (v *visit) may(p access.Permission) bool { return access.Allowed(v.caller, p) == nil }
