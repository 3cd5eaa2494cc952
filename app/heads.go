package app

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/internal/fault"
)

// headsOf says where checkpoints and suppression ledger go: beside the data unless ombud.yaml says better.
func (c Config) headsOf(cfg *catalog.Config) ([]string, error) {
	if len(c.Heads) > 0 {
		return c.Heads, nil
	}
	if len(cfg.Heads) == 0 {
		return []string{filepath.Clean(c.DataDir) + ".heads"}, nil
	}
	var out []string
	for _, h := range cfg.Heads {
		if strings.Contains(h, "://") {
			return nil, fault.New(fault.Invalid, "heads: %s is not a folder", h).Then("Only folders can be heads until object stores are connected.")
		}
		if !filepath.IsAbs(h) {
			h = filepath.Join(cfg.Folder, h)
		}
		out = append(out, h)
	}
	return out, nil
}

// sharedDisk warns of every head that lies on the device of the data: who rolls the one back can roll back the other, and a
// disk that dies takes both.
func (c Config) sharedDisk(heads []string) (warnings []string) {
	data := c.DataDir
	if !strings.Contains(c.Store, "://") {
		data = filepath.Dir(c.Store)
	}
	mine, ok := deviceOf(data)
	for _, h := range heads {
		if theirs, known := deviceOf(h); ok && known && mine == theirs {
			warnings = append(warnings, fmt.Sprintf("checkpoints and suppression ledger go to %s, on the same disk as the data; heads: in ombud.yaml names a place on another", filepath.Base(h)))
		}
	}
	return warnings
}

// deviceOf is the device a path lies on, or will lie on once it is made.
func deviceOf(path string) (uint64, bool) {
	for {
		st, err := os.Stat(path)
		if err == nil {
			s, ok := st.Sys().(*syscall.Stat_t)
			if !ok {
				return 0, false
			}
			return uint64(s.Dev), true
		}
		up := filepath.Dir(path)
		if !os.IsNotExist(err) || up == path {
			return 0, false
		}
		path = up
	}
}
