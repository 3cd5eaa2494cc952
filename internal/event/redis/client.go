package redis

import (
	"errors"
	"io"
	"net"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/ombudhq/ombud/internal/fault"
)

// Client is a connection pool to one Redis.
type Client = goredis.Client

// Connect reads an address, redis://, rediss:// or unix://, and makes a client. Nothing is connected yet. The address may
// hold a password and is in no error.
func Connect(address string) (*Client, error) {
	o, err := goredis.ParseURL(address)
	if err != nil {
		return nil, fault.New(fault.Invalid, "this is no address of a Redis").Then("It looks like rediss://user:password@host:6379/0.")
	}
	quiet()
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout = 5*time.Second, 5*time.Second, 5*time.Second
	o.ContextTimeoutEnabled, o.DisableIdentity, o.MaxRetries = true, true, -1
	o.DialerRetries = 1
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return goredis.NewClient(o), nil
}

// quiet keeps the library from writing addresses to standard error: what fails is reported by who asked.
var quiet = sync.OnceFunc(logging.Disable)

// kindOf says what is wrong without the address of Redis or anything that is in it.
func kindOf(err error) string {
	var answer goredis.Error
	var timeout interface{ Timeout() bool }
	var network *net.OpError
	switch {
	case errors.Is(err, errBehind):
		return "state behind"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	case errors.As(err, &network), errors.Is(err, io.EOF):
		return "no connection"
	case errors.As(err, &answer):
		return "redis refused"
	}
	return "failed"
}
