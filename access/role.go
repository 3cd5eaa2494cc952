package access

import (
	"slices"
	"strings"
)

// Role is what somebody is here for.
type Role string

// The roles. Local is whoever can read the root key of this machine, and Machine is what they are once an account
// exists: the work goes on, but the log, packages and people's roles are for those who sign in. Service is a program of
// the company.
const (
	Local       Role = "local"
	Machine     Role = "machine"
	DataSubject Role = "data_subject"
	Support     Role = "support_agent"
	Officer     Role = "data_protection_officer"
	Admin       Role = "system_admin"
	Auditor     Role = "auditor"
	Developer   Role = "developer"
	Service     Role = "service"
)

// Permission is one thing that can be done, as "noun.verb": an action of the policies.
type Permission string

// The permissions.
const (
	APIRead          Permission = "api.read"          // the description of the API
	CatalogRead      Permission = "catalog.read"      // systems, datasets, links: names, no values
	PurposeRead      Permission = "purpose.read"      // the register of purposes
	PurposeWrite     Permission = "purpose.write"     // change it
	DecisionAsk      Permission = "decision.ask"      // may this be processed; the changes of such answers
	ConsentRead      Permission = "consent.read"      // state, history, proof of one person
	ConsentWrite     Permission = "consent.write"     // record, withdraw, confirm
	RestrictionWrite Permission = "restriction.write" // restrictions and objections
	EventPost        Permission = "event.post"        // tell what happened elsewhere
	EventRead        Permission = "event.read"        // what was told to whom
	EventReplay      Permission = "event.replay"      // tell it again
	HoldRead         Permission = "hold.read"         // which holds stand
	HoldWrite        Permission = "hold.write"        // make and release them
	RequestRead      Permission = "request.read"      // requests and their plans
	RequestPlan      Permission = "request.plan"      // take in, plan, refuse
	RequestApprove   Permission = "request.approve"   // approve a plan, try again
	ReceiptRead      Permission = "receipt.read"      // what was done, signed
	PackageRead      Permission = "package.read"      // a person's data as it is handed over
	LedgerRead       Permission = "ledger.read"       // entries, checkpoints, proofs
	KeyManage        Permission = "key.manage"        // make and revoke API keys
	CatalogWrite     Permission = "catalog.write"     // say what was guessed is right or wrong
	AccountManage    Permission = "account.manage"    // accounts, their roles, the sessions of others
	SystemRead       Permission = "system.read"       // backups, encryption keys and their age: no content
	SelfManage       Permission = "self.manage"       // the own account
	PersonRead       Permission = "person.read"       // the page of one person, masked
	ValueReveal      Permission = "value.reveal"      // what is masked otherwise
	PseudonymMake    Permission = "pseudonym.make"    // a pseudonym of a person, or a token of a value
	PseudonymRead    Permission = "pseudonym.read"    // what was asked about pseudonyms, and what came of it
	PseudonymResolve Permission = "pseudonym.resolve" // who a pseudonym is
	LookRead         Permission = "look.read"         // who looked at whom
	PolicyRead       Permission = "policy.read"       // the policies, and what they say
	FactorEmail      Permission = "factor.email"      // a code by e-mail for a second factor, where there is no other
	ElevationTake    Permission = "elevation.take"    // break glass
	AlarmRead        Permission = "alarm.read"        // what another person must look at, without the words
	AlarmReview      Permission = "alarm.review"      // say what came of it
)

// everyRole are the roles, in the order to show them.
var everyRole = []Role{Support, Officer, Admin, Auditor, Developer, Service, Machine, Local, DataSubject}

// forKeys are the roles a program may have. The others are for people, who sign in and answer for what they do.
var forKeys = []Role{Service, Developer, Auditor}

var forPeople = []Role{Support, Officer, Admin, Auditor, Developer}

// PeopleRoles are the roles an account may have, in the order to choose from.
func PeopleRoles() []Role { return slices.Clone(forPeople) }

// KeyRoles are the roles an API key may have.
func KeyRoles() []Role { return slices.Clone(forKeys) }

func roleList(roles []Role) string {
	words := make([]string, len(roles))
	for i, r := range roles {
		words[i] = string(r)
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}
