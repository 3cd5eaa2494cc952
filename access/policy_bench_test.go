package access_test

import (
	"testing"

	"github.com/ombudhq/ombud/access"
)

// BenchmarkPolicy measures the gate against Cedar alone, asked the same about all policies with everything prepared.
func BenchmarkPolicy(b *testing.B) {
	officer := access.Caller{Actor: "account:acc_1", Role: access.Officer, Session: "ses_1"}
	for name, c := range map[string]struct {
		who  access.Caller
		what access.Permission
	}{
		"service": {access.Caller{Actor: "service:key_1", Role: access.Service}, access.DecisionAsk},
		"officer": {officer.Calling(access.Call{Justification: "asked"}), access.PackageRead},
		"denied":  {access.Caller{Role: access.Service}, access.LedgerRead},
	} {
		b.Run(name+"/cedar", func(b *testing.B) {
			alone := access.Shipped().Prepared(c.who, c.what)
			for b.Loop() {
				alone()
			}
		})
		b.Run(name+"/gate", func(b *testing.B) {
			for b.Loop() {
				_ = access.Allowed(c.who, c.what)
			}
		})
	}
}
