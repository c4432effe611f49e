// Kvctl is a client of kvd.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"6.824/cmd/cli"
	"6.824/engine"
)

func main() { cli.Main(&command, parseOptions, run) }

func run(ctx context.Context, o options, stdout, stderr io.Writer) error {
	signal.Reset(syscall.SIGPIPE) // cli asked for it; a peer that closes a connection must not end the process
	if o.action.name != "bench" {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.timeout)
		defer cancel()
	}
	c, err := newClient(ctx, o, stdout, stderr)
	if err != nil {
		return cli.Unusable(err)
	}
	return o.action.run(c, o)
}

func get(c *client, o options) error {
	a, err := c.ask("GET", pathOf(o.args[0]), "", 0)
	if err == nil {
		err = a.err()
	}
	if err == nil {
		_, err = c.out.Write(a.body)
	}
	if err == nil && cli.IsTerminal(c.out) {
		fmt.Fprintln(c.out) // so that the prompt begins a line
	}
	return err
}

// value returns an argument, or standard input if it is "-".
func value(arg string) (string, error) {
	if arg != "-" {
		return arg, nil
	}
	b, err := io.ReadAll(os.Stdin)
	return string(b), err
}

func put(c *client, o options) error {
	v, err := value(o.args[1])
	if err != nil {
		return err
	}
	return c.once("PUT", pathOf(o.args[0]), v)
}

func appendTo(c *client, o options) error {
	v, err := value(o.args[1])
	if err != nil {
		return err
	}
	return c.once("POST", pathOf(o.args[0])+"?op=append", v)
}

func cas(c *client, o options) error {
	return c.once("POST", pathOf(o.args[0])+"?op=cas&old="+url.QueryEscape(o.args[1]), o.args[2])
}

func remove(c *client, o options) error { return c.once("DELETE", pathOf(o.args[0]), "") }

// status asks each endpoint, since each has its own view.
func status(c *client, o options) error {
	failed := false
	for _, endpoint := range o.endpoints {
		text, err := c.statusOf(endpoint, o.json)
		if err != nil {
			text, failed = err.Error(), true
		}
		fmt.Fprintf(c.out, "%s: %s\n", endpoint, text)
	}
	if failed {
		return cli.ErrFailed
	}
	return nil
}

func (c *client) statusOf(endpoint string, asJSON bool) (string, error) {
	a, err := c.askOnce(endpoint, "GET", "/status", "", 0)
	if err == nil {
		err = a.err()
	}
	if err != nil || asJSON {
		return strings.TrimSpace(string(a.body)), err
	}
	var s engine.Status
	if err := json.Unmarshal(a.body, &s); err != nil {
		return "", err
	}
	text := fmt.Sprintf("server %d, %s", s.ID, s.Role)
	switch {
	case s.Role == "Leader":
	case s.Leader == 0:
		text += ", knows no leader"
	default:
		text += fmt.Sprint(" of server ", s.Leader)
	}
	text += fmt.Sprintf(", term %d; %d commands, %d applied; members", s.Term, s.LastIndex, s.AppliedIndex)
	for _, member := range s.Servers {
		text += fmt.Sprint(" ", member.ID)
		if member.Learner {
			text += " (learner)"
		}
	}
	return text, nil
}

func transfer(c *client, o options) error {
	return c.admin("transfer?to=" + url.QueryEscape(o.args[0]))
}

func add(c *client, o options) error {
	return c.admin("add?id=" + url.QueryEscape(o.args[0]) + "&address=" + url.QueryEscape(o.args[1]))
}

func removeServer(c *client, o options) error {
	return c.admin("remove?id=" + url.QueryEscape(o.args[0]))
}

func (c *client) admin(what string) error {
	a, err := c.ask("POST", "/admin/"+what, "", 0)
	if err != nil {
		return err
	}
	return a.err()
}
