package main

import (
	"os"
	"slices"
	"strings"
	"time"

	"6.824/cmd/cli"
)

type options struct {
	endpoints []string
	timeout   time.Duration
	cert, key string
	ca        string
	json      bool // of status
	action    action
	args      []string
	clients   int // of bench
	seconds   int
	size      int
}

// An action is what kvctl can do.
type action struct {
	name string
	args string // names of its arguments
	run  func(*client, options) error
}

var command = cli.Command{
	Name:    "kvctl",
	Summary: "Kvctl is a client of kvd.",
	Usage:   "[flags] ACTION [ARGUMENT...]",
	About: `actions:
  get KEY                    print the value, and nothing else; a terminal gets a newline, too
  put KEY VALUE              store a value; "-" stands for standard input
  append KEY VALUE           append to the value
  cas KEY OLD NEW            store NEW if the value is OLD
  del KEY                    remove a key
  status                     print a line about each endpoint, from its own view
  transfer ID                make another server the leader
  add ID HOST:PORT           add a server to the cluster, and wait until it has caught up
  remove ID                  remove a server from the cluster
  bench                      measure Puts

Kvctl asks one endpoint after the other until one answers. A change happens once, however often it is asked for.`,
	Examples: `kvctl put a 1
kvctl -endpoints http://10.0.0.1:8001,http://10.0.0.2:8001 get a`,
	OK:       "done",
	Failed:   "not done: there is no such key, the value is another one, or no server has answered in time",
	Unusable: "wrong usage",
}

var actions = []action{
	{"get", "KEY", get},
	{"put", "KEY VALUE", put},
	{"append", "KEY VALUE", appendTo},
	{"cas", "KEY OLD NEW", cas},
	{"del", "KEY", remove},
	{"status", "", status},
	{"transfer", "ID", transfer},
	{"add", "ID HOST:PORT", add},
	{"remove", "ID", removeServer},
	{"bench", "", bench},
}

const defaultEndpoints = "http://127.0.0.1:8001,http://127.0.0.1:8002,http://127.0.0.1:8003"

func parseOptions(args []string) (o options, err error) {
	flags := command.Flags()
	endpoints := os.Getenv("KVCTL_ENDPOINTS")
	if endpoints == "" {
		endpoints = defaultEndpoints
	}
	list := flags.String("endpoints", endpoints, "URLs of servers; the variable KVCTL_ENDPOINTS replaces the default")
	flags.DurationVar(&o.timeout, "timeout", 10*time.Second, "time after which kvctl gives up")
	flags.StringVar(&o.cert, "tls-cert", "", "file with a certificate")
	flags.StringVar(&o.key, "tls-key", "", "file with its key")
	flags.StringVar(&o.ca, "tls-ca", "", "file with the certificates of the authority")
	flags.BoolVar(&o.json, "json", false, "status: print all that each endpoint says, as JSON")
	flags.IntVar(&o.clients, "clients", 16, "bench: clients at a time")
	flags.IntVar(&o.seconds, "seconds", 10, "bench: how long")
	flags.IntVar(&o.size, "size", 100, "bench: size of the values in bytes")
	others, err := command.Parse(flags, args)
	if err != nil {
		return o, err
	}
	for url := range strings.SplitSeq(*list, ",") {
		if !strings.HasPrefix(url, "http://") && !strings.HasPrefix(url, "https://") {
			return o, cli.Usagef("-endpoints: '%s' is not like http://HOST:PORT", url)
		}
		o.endpoints = append(o.endpoints, strings.TrimSuffix(url, "/"))
	}
	if len(others) == 0 {
		return o, cli.Usagef("no action")
	}
	k := slices.IndexFunc(actions, func(a action) bool { return a.name == others[0] })
	if k < 0 {
		return o, cli.Usagef("there is no action '%s'", others[0])
	}
	o.action, o.args = actions[k], others[1:]
	if n := len(strings.Fields(o.action.args)); len(o.args) != n {
		return o, cli.Usagef("%s needs: %s", o.action.name, max(o.action.args, "no argument"))
	}
	if o.clients < 1 || o.seconds < 1 || o.size < 0 || o.timeout <= 0 || (o.cert == "") != (o.key == "") {
		return o, cli.Usagef("a number is too low, or -tls-cert is without -tls-key")
	}
	return o, nil
}
