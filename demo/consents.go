package demo

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/ombudhq/ombud/consent"
)

// consentsFile lies beside the stores: what people said yes and no to before Ombud came, one act a line.
const consentsFile = "consents.ndjson"

// readers is how many people's choices it holds.
const readers = 480

// consents writes it. Most readers of the newsletter said yes once, within the last year; some took it back.
func (c *company) consents(path string) error {
	var out bytes.Buffer
	lines := json.NewEncoder(&out)
	for i, address := range c.readers {
		said := c.now.AddDate(0, 0, -350+i*340/readers).Truncate(time.Second)
		who := map[string]string{"email": address}
		all := []consent.Line{{Event: "given", Subject: who, Purpose: "newsletter", Method: "web_form", Interface: "checkout", At: said,
			Notice: &consent.LineNotice{ID: "letters", Version: "3", Language: "en"}}}
		if i%3 == 0 {
			all = append(all, consent.Line{Event: "given", Subject: who, Purpose: "measuring", Method: "opt_in", Interface: "cookie banner", At: said,
				Notice: &consent.LineNotice{ID: "measuring", Version: "1", Language: "en"}})
		}
		if i%9 == 4 {
			all = append(all, consent.Line{Event: "withdrawn", Subject: who, Purpose: "newsletter", Reason: "stop link in a letter", At: said.AddDate(0, 0, 5)})
		}
		for _, l := range all {
			if err := lines.Encode(l); err != nil {
				return fmt.Errorf("writing the demo's consents: %w", err)
			}
		}
	}
	if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
		return fmt.Errorf("writing the demo's consents: %w", err)
	}
	return nil
}
