package app

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/internal/bucket"
	"github.com/ombudhq/ombud/internal/dial"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/witness"
)

// places is where checkpoints and suppression ledger go: folders, and by folder the bucket that it is a copy of.
type places struct {
	folders []string
	buckets map[string]*bucket.Bucket
}

// headsOf says where that is: beside the data unless ombud.yaml says better.
func (c Config) headsOf(cfg *catalog.Config) (p places, err error) {
	if len(c.Heads) > 0 {
		return places{folders: c.Heads}, nil
	}
	beside := filepath.Clean(c.DataDir) + ".heads"
	if len(cfg.Heads) == 0 {
		return places{folders: []string{beside}}, nil
	}
	p.buckets = map[string]*bucket.Bucket{}
	for _, h := range cfg.Heads {
		if strings.Contains(h, "://") {
			b, err := c.bucketOf(h)
			if err != nil {
				return p, err
			}
			h = beside
			if len(p.buckets) > 0 {
				h = fmt.Sprint(beside, len(p.buckets)+1)
			}
			p.buckets[h] = b
		} else if !filepath.IsAbs(h) {
			h = filepath.Join(cfg.Folder, h)
		}
		p.folders = append(p.folders, h)
	}
	return p, nil
}

// witnessesOf are who cosigns checkpoints. The configuration was checked when it was read.
func witnessesOf(cfg *catalog.Config) (out []*witness.Witness) {
	for _, w := range cfg.Witnesses {
		if key, err := witness.ParseKey(w.Key); err == nil {
			out = append(out, &witness.Witness{Key: key, URL: w.URL, HTTP: dial.Plain(dial.Way{Private: w.Allow == "private"})})
		}
	}
	return out
}

// bucketOf reads s3://bucket/prefix?endpoint=…&region=…, with ${NAME} from the environment. Keys stand in the environment
// alone, as every program of AWS takes them.
func (c Config) bucketOf(text string) (*bucket.Bucket, error) {
	text, err := catalog.ExpandDSN("heads", text)
	if err != nil {
		return nil, err
	}
	at, err := url.Parse(text)
	if err != nil || at.Scheme != "s3" || at.User != nil {
		return nil, fault.New(fault.Invalid, "heads: this is neither a folder nor a bucket").Then("A bucket is s3://name/prefix; its keys stand in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.")
	}
	q := at.Query()
	first := func(values ...string) string {
		for _, v := range values {
			if v != "" {
				return v
			}
		}
		return ""
	}
	return bucket.New(bucket.Config{
		Bucket: at.Host, Prefix: strings.Trim(at.Path, "/"), Clock: c.Clock,
		Endpoint: first(q.Get("endpoint"), os.Getenv("AWS_ENDPOINT_URL_S3"), os.Getenv("AWS_ENDPOINT_URL")),
		Region:   first(q.Get("region"), os.Getenv("AWS_REGION"), os.Getenv("AWS_DEFAULT_REGION")),
		Access:   os.Getenv("AWS_ACCESS_KEY_ID"), Secret: os.Getenv("AWS_SECRET_ACCESS_KEY"), Session: os.Getenv("AWS_SESSION_TOKEN"),
	})
}

// sharedDisk warns of every head that lies on the device of the data: who rolls the one back can roll back the other, and a
// disk that dies takes both.
func (c Config) sharedDisk(heads places) (warnings []string) {
	data := c.DataDir
	if !strings.Contains(c.Store, "://") {
		data = filepath.Dir(c.Store)
	}
	mine, ok := deviceOf(data)
	for _, h := range heads.folders {
		if heads.buckets[h] != nil {
			continue
		}
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
