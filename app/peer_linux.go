package app

import (
	"net"
	"os"
	"os/user"
	"strconv"
	"syscall"

	"github.com/ombudhq/ombud/internal/fault"
)

// peer names the user at the other end of a socket, and refuses everybody but the owner's own and root.
func peer(c *net.UnixConn) (string, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return "", err
	}
	var cred *syscall.Ucred
	var credErr error
	if err := raw.Control(func(fd uintptr) {
		cred, credErr = syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	}); err != nil {
		return "", err
	}
	if credErr != nil {
		return "", credErr
	}
	if int(cred.Uid) != os.Geteuid() && cred.Uid != 0 {
		return "", fault.New(fault.Denied, "this data directory is another user's")
	}
	id := strconv.Itoa(int(cred.Uid))
	if u, err := user.LookupId(id); err == nil {
		return u.Username, nil
	}
	return "uid-" + id, nil
}
