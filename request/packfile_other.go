//go:build !linux

package request

import (
	"errors"
	"os"
)

// nameless is what only Linux has; elsewhere the file has a name from the start.
func nameless(string) (*os.File, error) { return nil, errors.ErrUnsupported }

func giveName(*os.File, string) (string, error) { return "", errors.ErrUnsupported }
