package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"6.824/engine/kv"
	"6.824/kvraft/history"
	"6.824/kvraft/rpc"
)

// Users share what is asked of a fleet, and what came of it.
type users struct {
	*fleet
	round   atomic.Int64     // each round has keys of its own, so that the verdict on a key takes little time
	values  history.Recorder // of keys with Get, Put and Append
	cas     history.Recorder // of keys with Get and compare-and-set
	unknown struct {         // operations that may happen at any time; they end with the history
		sync.Mutex
		ops []history.Operation
	}
}

// A user is a client that has one operation under way at a time.
type user struct {
	*users
	number, request int
	random          *rand.Rand
}

// errUnknown says that an operation was carried out, or not, or may still be.
var errUnknown = errors.New("the outcome is not known")

// run carries out operations until ctx ends, and the last one to its end.
func (u *user) run(ctx context.Context) {
	for ctx.Err() == nil {
		key := fmt.Sprintf("%d.%d", u.round.Load(), u.random.IntN(3))
		if u.number%2 == 0 {
			u.useValues(key)
		} else {
			u.useCAS("cas" + key)
		}
	}
}

// useValues gets, puts or appends. It repeats that until the outcome is known.
func (u *user) useValues(key string) {
	o := history.Operation{Client: u.number, Kind: history.Kind(u.random.IntN(3)), Key: key}
	if u.request++; o.Kind != history.Get {
		o.Value = fmt.Sprintf("%d.%d ", u.number, u.request)
	}
	if o.Kind == history.Put && u.random.IntN(4) > 0 {
		o.Kind = history.Append // so that values grow
	}
	o.Call = u.values.Begin()
	switch o.Kind {
	case history.Get:
		o.Value, _ = u.get(key, 0)
	case history.Put:
		u.change("PUT", key, "", o.Value, true)
	case history.Append:
		u.change("POST", key, "op=append", o.Value, true)
	}
	u.values.End(o)
}

// useCAS gets a value, and stores another one if the key still has it. A value begins with a number that is its version.
// Half of these operations are sent only once, without a number, and the outcome of some is not known.
func (u *user) useCAS(key string) {
	read := u.read(key, 0)
	o := history.Operation{Client: u.number, Kind: history.Put, Key: key, Version: read.Version}
	u.request++
	o.Value = fmt.Sprintf("%d:%d.%d", read.Version+1, u.number, u.request)
	query := "op=cas&absent=1"
	if read.Version > 0 {
		query = "op=cas&old=" + url.QueryEscape(read.Value)
	}
	o.Call = u.cas.Begin()
	code, err := u.change("POST", key, query, o.Value, u.random.IntN(2) == 0)
	switch {
	case errors.Is(err, errUnknown):
		o.Err = rpc.ErrMaybe
		u.unknown.Lock()
		u.unknown.ops = append(u.unknown.ops, o)
		u.unknown.Unlock()
		return
	case err != nil:
		return // it was refused
	case code == http.StatusPreconditionFailed:
		o.Err = rpc.ErrVersion
	default:
		o.Err = rpc.OK
	}
	u.cas.End(o)
}

// read gets the value of a key for compare-and-set, from one server or, if that is 0, from any, and records it.
func (u *user) read(key string, server int) history.Operation {
	o := history.Operation{Client: u.number, Kind: history.Get, Key: key, Call: u.cas.Begin(), Err: rpc.ErrNoKey}
	value, ok := u.get(key, server)
	if o.Value = value; ok {
		text, _, _ := strings.Cut(value, ":")
		version, err := strconv.Atoi(text)
		if err != nil {
			u.Errorf("%s has the value %q, which nobody has written", key, value)
		}
		o.Err, o.Version = rpc.OK, rpc.Tversion(version)
	}
	u.cas.End(o)
	return o
}

// get returns the value of a key.
func (u *user) get(key string, server int) (string, bool) {
	a, _ := u.repeat(server, true, func() *http.Request { return u.new("GET", key, "", "") })
	if a.code != http.StatusOK {
		return "", false
	}
	return a.body, true
}

// change has a change carried out, and returns the status code that says with which result. It repeats it until the outcome
// is known, or sends it once. The error is errUnknown, or says that the change was refused and will not be carried out.
func (u *user) change(method, key, query, value string, repeat bool) (int, error) {
	a, err := u.repeat(0, repeat, func() *http.Request {
		r := u.new(method, key, query, value)
		if repeat {
			r.Header.Set(kv.ClientHeader, strconv.Itoa(u.number+1))
			r.Header.Set(kv.RequestHeader, strconv.Itoa(u.request))
		}
		return r
	})
	return a.code, err
}

func (u *user) new(method, key, query, body string) *http.Request {
	r, err := http.NewRequest(method, "/kv/"+key+"?"+query, strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	return r
}

// A reply is what a server has said.
type reply struct {
	code int
	body string
}

// repeat asks servers until one knows the answer, if it must.
func (u *user) repeat(server int, must bool, request func() *http.Request) (reply, error) {
	for begun := time.Now(); time.Since(begun) < time.Minute; time.Sleep(time.Duration(u.random.IntN(20)) * time.Millisecond) {
		to := server
		if to == 0 {
			to = u.any(u.random)
		}
		a, err := u.ask(to, request())
		what := "operations that were answered"
		switch {
		case err != nil:
			what = "requests without an answer"
		case a.code == http.StatusServiceUnavailable:
			what, err = "requests that were refused (503)", errors.New(a.body)
		case a.code == http.StatusGatewayTimeout:
			what, err = "requests with an unknown outcome (504)", errUnknown
		case a.code >= 300 && a.code != http.StatusNotFound && a.code != http.StatusPreconditionFailed:
			u.Errorf("a server has answered %d, %s", a.code, a.body)
		}
		u.count(what, 1)
		if err == nil || !must {
			return a, err
		}
	}
	u.Errorf("client %d has had no answer for a minute", u.number)
	return reply{}, errUnknown
}

// ask sends a request to a server, or to the one that this one names.
func (u *user) ask(server int, r *http.Request) (reply, error) {
	base, err := url.Parse(u.url(server))
	if err != nil {
		panic(err)
	}
	if base.Host == "" {
		return reply{}, errUnknown // the server was removed
	}
	r.URL = base.ResolveReference(r.URL)
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	response, err := u.http.Do(r.WithContext(ctx))
	if err != nil {
		return reply{}, errUnknown
	}
	defer response.Body.Close()
	b, err := io.ReadAll(response.Body)
	if err != nil {
		return reply{}, errUnknown
	}
	return reply{response.StatusCode, string(b)}, nil
}

// readAll reads all keys from all servers.
func (u *user) readAll() {
	for round := range u.round.Load() + 1 {
		for k := range 3 {
			key := fmt.Sprintf("%d.%d", round, k)
			for _, id := range u.ids() {
				if u.Failed() {
					return // it could take a minute for each key
				}
				o := history.Operation{Client: u.number, Kind: history.Get, Key: key, Call: u.values.Begin()}
				o.Value, _ = u.get(key, id)
				u.values.End(o)
				u.read("cas"+key, id)
			}
		}
	}
}

// verdict checks the history. It returns how many operations that has.
func (u *users) verdict() int {
	for _, o := range u.unknown.ops {
		u.cas.End(o)
	}
	values, cas := u.values.History(), u.cas.History()
	for service, ops := range map[history.Service][]history.Operation{history.Values: values, history.Versions: cas} {
		if err := history.Check(service, ops, time.Minute); err != nil {
			u.Error(err)
			if e := new(history.Error); errors.As(err, &e) {
				page, err := e.WritePage("")
				u.Logf("the page of that history is %s, error %v", page, err)
			}
		}
	}
	return len(values) + len(cas)
}
