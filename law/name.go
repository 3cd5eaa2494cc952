package law

// names are the laws of consent by jurisdiction.
var names = map[string]string{
	"eu": "GDPR", "eea": "GDPR", "uk": "UK GDPR", "gb": "UK GDPR", "in": "DPDPA", "br": "LGPD", "us-ca": "CCPA", "ca-qc": "Law 25", "ca": "PIPEDA",
}

// Names are the laws that speak of consent in these jurisdictions, each once.
func Names(jurisdictions []string) []string {
	out, seen := []string{}, map[string]bool{}
	for _, j := range jurisdictions {
		name, ok := names[j]
		if !ok && european[j] {
			name, ok = "GDPR", true
		}
		if ok && !seen[name] {
			seen[name] = true
			out = append(out, name)
		}
	}
	return out
}
