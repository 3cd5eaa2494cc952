package subject

import (
	"encoding/hex"
	"slices"

	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/vault"
)

// Canonical is the form of a value in which identities are compared: blanks at both ends removed and
// letter case folded, nothing else. Dots, plus-tags and Unicode variants stay apart.
func Canonical(_, value string) string { return connector.Fold(value) }

// Token is what is stored in place of an identity: HMAC-SHA256 of kind and canonical value under the
// suppression key, in hex. The same identity gives the same token for as long as the root key lives;
// without that key a token says nothing.
func Token(v *vault.Vault, kind, value string) string {
	sum := v.MAC(vault.Suppression, []byte(kind), []byte(Canonical(kind, value)))
	return hex.EncodeToString(sum[:])
}

// Tokens are the tokens of several identities, sorted, each once.
func Tokens(v *vault.Vault, ids []Identity) []string {
	out := make([]string, 0, len(ids))
	for _, i := range ids {
		out = append(out, Token(v, i.Kind, i.Value))
	}
	slices.Sort(out)
	return slices.Compact(out)
}
