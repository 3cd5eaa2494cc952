package backup

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/ombudhq/ombud/internal/file"
)

// checkedExtension follows the name of a backup: beside it lies what was found when somebody last looked at it.
const checkedExtension = ".checked"

// Checked is when a backup was last read and compared, and when a rehearsal last brought it back. It lies beside the backup, is
// signed by nobody and proves nothing: it reminds. What is told of another content than the backup has now counts for nothing.
type Checked struct {
	SHA256    string     `json:"sha256"` // of the backup it was
	Verified  *time.Time `json:"verified,omitempty"`
	Rehearsed *time.Time `json:"rehearsed,omitempty"`
	TookMS    int64      `json:"took_ms,omitempty"` // of the rehearsal
	Problem   string     `json:"problem,omitempty"` // what the last look found
}

// Remember writes beside a backup what change makes of what was known of it.
func Remember(path, sha256 string, change func(*Checked)) error {
	c := checkedOf(path, sha256)
	c.SHA256 = sha256
	change(&c)
	b, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding what was found of a backup: %w", err)
	}
	return file.Save(path+checkedExtension, func(w io.Writer) error {
		_, err := w.Write(append(b, '\n'))
		return err
	})
}

// checkedOf reads what lies beside a backup; nothing where that is of another content, or cannot be read.
func checkedOf(path, sha256 string) Checked {
	var c Checked
	b, err := os.ReadFile(path + checkedExtension)
	if err != nil || json.NewDecoder(bytes.NewReader(b)).Decode(&c) != nil || c.SHA256 != sha256 {
		return Checked{}
	}
	return c
}
