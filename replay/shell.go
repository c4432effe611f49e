package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"6.824/cmd/cli"
)

// command returns the shell command that runs one seed with the options o.
func (o *options) command(seed uint64) string {
	words := append(self(), "-seed", strconv.FormatUint(seed, 10))
	add := func(set bool, flag ...string) {
		if set {
			words = append(words, flag...)
		}
	}
	add(o.run != "", "-run", o.run)
	add(o.verbose, "-v")
	add(o.count != 1, "-count", strconv.Itoa(o.count))
	add(o.timeout != defaultTimeout, "-timeout", o.timeout.String())
	add(o.limit != defaultLimit, "-limit", o.limit.String())
	for _, e := range o.env {
		add(true, "-env", e)
	}
	add(o.overlay != "", "-overlay", o.overlay)
	add(o.tags != "", "-tags", o.tags)
	add(o.dir != "", "-C", o.dir)
	add(o.harness, "-harness")
	add(!o.harness, o.pkg)
	if len(o.args) > 0 {
		add(true, "-args")
		add(true, o.args...)
	}
	for i := range words {
		words[i] = cli.Quote(words[i])
	}
	return strings.Join(words, " ")
}

// self returns the words that start this program again. go run may remove its binary, so self returns a go run for that.
func self() []string {
	cache := os.Getenv("GOCACHE") // where go run puts its binary, unless that is a directory with go-build in its name
	if !strings.Contains(filepath.ToSlash(os.Args[0]), "/go-build") && (cache == "" || !strings.HasPrefix(os.Args[0], cache)) {
		return []string{os.Args[0]}
	}
	if dir, err := os.Getwd(); err == nil {
		return []string{"go", "run", "-C", dir, "."}
	}
	return []string{"go", "run", "."}
}
