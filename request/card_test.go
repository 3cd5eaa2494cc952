package request

import (
	"strings"
	"testing"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/pii"
	"github.com/ombudhq/ombud/plan"
)

// TestPackageHoldsNoCard: whatever kind of cell a card number stands in, the package shows its last four digits only.
func TestPackageHoldsNoCard(t *testing.T) {
	kinds := map[string]connector.Kind{"number": connector.Int, "raw": connector.Bytes, "doc": connector.JSON}
	path, _ := packed(t, openVault(t), func(s plan.Sink) error {
		it := plan.Item{System: "shop", Dataset: "payments", Role: catalog.Own, Columns: cols(kinds, "text", "number", "raw", "doc", "kept")}
		return s.Row(it, []connector.Value{connector.TextValue("paid with 4111 1111 1111 1111 twice"), connector.IntValue(5555555555554444), connector.BytesValue([]byte("378282246310005")),
			{Kind: connector.JSON, S: `{"card":"6011111111111117","n":4222222222222}`}, connector.TextValue("4111111111111112")})
	})
	all := ""
	for name, b := range unzip(t, path) {
		all += string(b)
		if strings.HasPrefix(name, "data/") && pii.HoldsCard(string(b)) {
			t.Errorf("%s holds a card number", name)
		}
	}
	for _, left := range []string{"paid with ••••••••••••1111 twice", "••••••••••••4444", "4111111111111112"} {
		if !strings.Contains(all, left) {
			t.Errorf("%q is not in the package", left)
		}
	}
	for _, gone := range []string{"5555555555554444", "6011111111111117", "4222222222222", "Mzc4Mjgy"} {
		if strings.Contains(all, gone) {
			t.Errorf("%s is in the package", gone)
		}
	}
}
