package main

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// cacheName is the name of the cache in the user's cache directory.
const cacheName = "6.824-replay"

// maxCached is how many compiled modules the cache keeps. Each takes about 20 MB.
const maxCached = 16

// cacheDir returns the directory of compiled modules. A file's name is a hash of the module and of everything else that
// compilation depends on.
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

// prune removes all modules but the newest maxCached. Errors do no harm and are ignored.
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

// compile compiles the plan's module into the cache, from which workers load it.
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
