package main

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// cacheName is the directory of compiled modules in the user's cache directory.
const cacheName = "6.824-replay"

// maxCached is how many compiled modules are kept, about 20 MB each.
const maxCached = 16

// cacheDir is where compiled modules are kept; a file's name is a hash of its module and of all
// that compilation depends on.
func cacheDir(scratch string) string {
	if user, err := os.UserCacheDir(); err == nil {
		dir := filepath.Join(user, cacheName)
		if os.MkdirAll(dir, 0o755) == nil {
			prune(dir)
			return dir
		}
	}
	return filepath.Join(scratch, cacheName)
}

// prune removes the oldest modules but the last maxCached ones. Failing to do so harms nobody.
func prune(dir string) {
	modules, _ := filepath.Glob(filepath.Join(dir, "*", "*"))
	age := map[string]time.Duration{}
	for _, name := range modules {
		if info, err := os.Stat(name); err == nil {
			age[name] = time.Since(info.ModTime())
		}
	}
	slices.SortFunc(modules, func(a, b string) int { return cmp.Compare(age[a], age[b]) })
	for i, name := range modules {
		if i >= maxCached {
			os.Remove(name)
		}
	}
}

// compile puts the plan's module into its cache, where workers find it.
func compile(ctx context.Context, p *plan) error {
	done := make(chan error, 1)
	go func() {
		m, err := newMachine(p)
		if err == nil {
			m.close()
		}
		done <- err
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
